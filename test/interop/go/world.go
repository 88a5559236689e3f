package main

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

var (
	run     = strconv.FormatInt(time.Now().UnixMilli()%100_000_000, 36)
	counter atomic.Int64
)

// world is what one scenario works with: fresh names, started clients, and their end.
type world struct {
	namesrv, broker, scenario string
	mu                        sync.Mutex
	closers                   []func()
}

func (w *world) unique(kind string) string {
	return fmt.Sprintf("%s-go-%s-%s-%d", kind, w.scenario, run, counter.Add(1))
}

func (w *world) onClose(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closers = append(w.closers, f)
}

func (w *world) close() {
	w.mu.Lock()
	closers := w.closers
	w.mu.Unlock()
	for i := len(closers) - 1; i >= 0; i-- {
		closers[i]()
	}
}

func (w *world) resolver() primitive.NsResolver {
	return primitive.NewPassthroughResolver([]string{w.namesrv})
}

// topic creates a topic and returns once the NameServer knows its route: the Go consumer refuses to start without.
func (w *world) topic(queues int) (string, error) {
	name := w.unique("T")
	a, err := admin.NewAdmin(admin.WithResolver(w.resolver()))
	if err != nil {
		return "", err
	}
	defer a.Close()
	err = a.CreateTopic(context.Background(), admin.WithTopicCreate(name), admin.WithBrokerAddrCreate(w.broker),
		admin.WithReadQueueNums(queues), admin.WithWriteQueueNums(queues))
	if err != nil {
		return "", err
	}
	err = eventually(15*time.Second, func() (bool, string) {
		found, err := a.FetchPublishMessageQueues(context.Background(), name)
		return err == nil && len(found) == queues, fmt.Sprintf("a route of %s with %d queues, seen %v, %v", name, queues,
			found, err)
	})
	return name, err
}

func (w *world) producer(options ...producer.Option) (rocketmq.Producer, error) {
	group := w.unique("G")
	p, err := rocketmq.NewProducer(append([]producer.Option{
		producer.WithNsResolver(w.resolver()), producer.WithGroupName(group), producer.WithInstanceName(group),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	w.onClose(func() { _ = p.Shutdown() })
	return p, nil
}

// push starts a push consumer from the first message on; it returns a function that shuts it down before the
// scenario's end.
func (w *world) push(group, topic, tags string, listener listener, options ...consumer.Option) (func(), error) {
	c, err := rocketmq.NewPushConsumer(append([]consumer.Option{
		consumer.WithNsResolver(w.resolver()), consumer.WithGroupName(group), consumer.WithInstance(w.unique("I")),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	if err := c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: tags}, listener); err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	var once sync.Once
	stop := func() { once.Do(func() { _ = c.Shutdown() }) }
	w.onClose(stop)
	return stop, nil
}

type listener = func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error)

// inbox keeps what a listener gets, in the order of arrival.
type inbox struct {
	mu       sync.Mutex
	messages []*primitive.MessageExt
	arrivals []time.Time
}

func (i *inbox) listen(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	i.add(messages)
	return consumer.ConsumeSuccess, nil
}

func (i *inbox) add(messages []*primitive.MessageExt) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, m := range messages {
		i.messages = append(i.messages, m)
		i.arrivals = append(i.arrivals, time.Now())
	}
}

func (i *inbox) all() []*primitive.MessageExt {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]*primitive.MessageExt(nil), i.messages...)
}

func (i *inbox) arrival(n int) time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.arrivals[n]
}

func (i *inbox) bodies() []string {
	var bodies []string
	for _, m := range i.all() {
		bodies = append(bodies, string(m.Body))
	}
	return bodies
}

func (i *inbox) await(timeout time.Duration, count int) error {
	return eventually(timeout, func() (bool, string) {
		seen := len(i.all())
		return seen >= count, fmt.Sprintf("%d of %d messages", seen, count)
	})
}

func eventually(timeout time.Duration, condition func() (bool, string)) error {
	deadline := time.Now().Add(timeout)
	for {
		ok, what := condition()
		if ok {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %s", timeout, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func equal(expected, seen any, what string) error {
	if fmt.Sprint(expected) != fmt.Sprint(seen) {
		return fmt.Errorf("%s: expected %v, got %v", what, expected, seen)
	}
	return nil
}

func sorted(words []string) []string {
	words = append([]string(nil), words...)
	sort.Strings(words)
	return words
}

func numbered(prefix string, count int) []string {
	var words []string
	for i := 0; i < count; i++ {
		words = append(words, prefix+strconv.Itoa(i))
	}
	return sorted(words)
}

// firstOf gives the first error of several checks.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func catalogue() []scenario {
	core := func(name string, run func(*world) error) scenario {
		return scenario{"core", name, 60 * time.Second, run}
	}
	advanced := func(name string, run func(*world) error) scenario {
		return scenario{"advanced", name, 90 * time.Second, run}
	}
	return []scenario{
		core("producer-sync", producerSync),
		core("producer-async", producerAsync),
		core("producer-oneway", producerOneway),
		core("producer-batch", producerBatch),
		core("producer-hash-selector", producerSelector),
		core("auto-created-topic", autoCreated),
		core("compressed-body", compressedBody),
		core("unicode-body-properties-keys", unicode),
		core("message-too-large", tooLarge),
		core("push-consumer-cluster", pushCluster),
		core("tag-filter", tagFilter),
		core("broadcast", broadcast),
		core("ordered-consumption", ordered),
		core("offsets-resumed-after-restart", resumed),
		core("rebalance-between-two-consumers", rebalance),
		core("long-polling-latency", latency),
		advanced("retry-comes-back", retry),
		advanced("delay-level", delayLevel),
		advanced("transaction-commit", transactionCommit),
		advanced("transaction-check-commits", transactionCheck),
		advanced("request-reply", requestReply),
	}
}

func message(topic, body string) *primitive.Message {
	return primitive.NewMessage(topic, []byte(body))
}

func producerSync(w *world) error {
	topic, err := w.topic(2)
	if err != nil {
		return err
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	offsets := map[int]int64{}
	for i := 0; i < 10; i++ {
		r, err := p.SendSync(context.Background(), message(topic, "m"+strconv.Itoa(i)))
		if err != nil {
			return err
		}
		err = firstOf(
			equal(primitive.SendOK, r.Status, "status"),
			equal(offsets[r.MessageQueue.QueueId], r.QueueOffset, "queue offset"),
			equal(32, len(r.OffsetMsgID), "length of the offset message id "+r.OffsetMsgID),
		)
		if err != nil {
			return err
		}
		offsets[r.MessageQueue.QueueId]++
	}
	return nil
}

func producerAsync(w *world) error {
	return sendAndReceive(w, 50, func(p sender, topic string) error {
		var wg sync.WaitGroup
		errs := make(chan error, 50)
		for i := 0; i < 50; i++ {
			wg.Add(1)
			err := p.SendAsync(context.Background(), func(_ context.Context, r *primitive.SendResult, err error) {
				defer wg.Done()
				if err == nil && r.Status != primitive.SendOK {
					err = fmt.Errorf("status %v", r.Status)
				}
				if err != nil {
					errs <- err
				}
			}, message(topic, "x"+strconv.Itoa(i)))
			if err != nil {
				return err
			}
		}
		wg.Wait()
		select {
		case err := <-errs:
			return err
		default:
			return nil
		}
	})
}

func producerOneway(w *world) error {
	return sendAndReceive(w, 20, func(p sender, topic string) error {
		for i := 0; i < 20; i++ {
			if err := p.SendOneWay(context.Background(), message(topic, "x"+strconv.Itoa(i))); err != nil {
				return err
			}
		}
		return nil
	})
}

func producerBatch(w *world) error {
	return sendAndReceive(w, 32, func(p sender, topic string) error {
		var batch []*primitive.Message
		for i := 0; i < 32; i++ {
			batch = append(batch, message(topic, "x"+strconv.Itoa(i)))
		}
		r, err := p.SendSync(context.Background(), batch...)
		if err != nil {
			return err
		}
		return firstOf(
			equal(primitive.SendOK, r.Status, "status"),
			equal(32, len(strings.Split(r.OffsetMsgID, ",")), "offset message ids in "+r.OffsetMsgID),
		)
	})
}

type sender interface {
	SendSync(context.Context, ...*primitive.Message) (*primitive.SendResult, error)
	SendAsync(context.Context, func(context.Context, *primitive.SendResult, error), ...*primitive.Message) error
	SendOneWay(context.Context, ...*primitive.Message) error
}

// sendAndReceive sends x0, x1, ... in some way and expects a consumer to get each.
func sendAndReceive(w *world, count int, send func(sender, string) error) error {
	topic, err := w.topic(4)
	if err != nil {
		return err
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	if err := send(p, topic); err != nil {
		return err
	}
	got := &inbox{}
	if _, err := w.push(w.unique("G"), topic, "*", got.listen); err != nil {
		return err
	}
	if err := got.await(30*time.Second, count); err != nil {
		return err
	}
	return equal(numbered("x", count), sorted(got.bodies()), "bodies")
}

func producerSelector(w *world) error {
	topic, err := w.topic(4)
	if err != nil {
		return err
	}
	p, err := w.producer(producer.WithQueueSelector(producer.NewHashQueueSelector()))
	if err != nil {
		return err
	}
	for _, key := range []string{"alpha", "beta", "gamma"} {
		queue := -1
		for i := 0; i < 5; i++ {
			r, err := p.SendSync(context.Background(), message(topic, key).WithShardingKey(key))
			if err != nil {
				return err
			}
			if queue == -1 {
				queue = r.MessageQueue.QueueId
			}
			if err := equal(queue, r.MessageQueue.QueueId, "queue of "+key); err != nil {
				return err
			}
		}
	}
	return nil
}

func autoCreated(w *world) error {
	topic := w.unique("T")
	p, err := w.producer()
	if err != nil {
		return err
	}
	if _, err := p.SendSync(context.Background(), message(topic, "first")); err != nil {
		return err
	}
	got := &inbox{}
	err = eventually(15*time.Second, func() (bool, string) {
		_, err := w.push(w.unique("G"), topic, "*", got.listen)
		return err == nil, fmt.Sprintf("a consumer of the new topic: %v", err)
	})
	if err != nil {
		return err
	}
	return firstOf(got.await(30*time.Second, 1), equal("[first]", fmt.Sprint(got.bodies()), "bodies"))
}

func compressedBody(w *world) error {
	return exchange(w, func(m *primitive.Message) {
		m.Body = bytes.Repeat([]byte("compressible "), 20_000)
	}, func(m *primitive.MessageExt) error {
		if !bytes.Equal(m.Body, bytes.Repeat([]byte("compressible "), 20_000)) {
			return fmt.Errorf("body of 260000 bytes came back as %d", len(m.Body))
		}
		if int(m.StoreSize) > 100_000 {
			return fmt.Errorf("stored in %d bytes", m.StoreSize)
		}
		return nil
	})
}

func unicode(w *world) error {
	return exchange(w, func(m *primitive.Message) {
		m.Body = []byte("grüße 你好 🚀")
		m.WithTag("标签").WithKeys([]string{"键1", "键2"}).WithProperty("名前", "値 😀 =;,\"{}")
	}, func(m *primitive.MessageExt) error {
		return firstOf(
			equal("grüße 你好 🚀", string(m.Body), "body"),
			equal("标签", m.GetTags(), "tag"),
			equal("键1 键2", m.GetKeys(), "keys"),
			equal("値 😀 =;,\"{}", m.GetProperty("名前"), "property"),
		)
	})
}

func exchange(w *world, prepare func(*primitive.Message), check func(*primitive.MessageExt) error) error {
	topic, err := w.topic(1)
	if err != nil {
		return err
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	m := message(topic, "")
	prepare(m)
	if _, err := p.SendSync(context.Background(), m); err != nil {
		return err
	}
	got := &inbox{}
	if _, err := w.push(w.unique("G"), topic, "*", got.listen); err != nil {
		return err
	}
	if err := got.await(30*time.Second, 1); err != nil {
		return err
	}
	return check(got.all()[0])
}

func tooLarge(w *world) error {
	topic, err := w.topic(1)
	if err != nil {
		return err
	}
	p, err := w.producer(producer.WithCompressMsgBodyOverHowmuch(64<<20), producer.WithSendMsgTimeout(10*time.Second))
	if err != nil {
		return err
	}
	r, err := p.SendSync(context.Background(), primitive.NewMessage(topic, make([]byte, 4<<20+1)))
	if err == nil && r.Status == primitive.SendOK {
		return fmt.Errorf("not refused: %v", r)
	}
	_, err = p.SendSync(context.Background(), message(topic, "small"))
	return err
}

func pushCluster(w *world) error {
	topic, err := w.topic(4)
	if err != nil {
		return err
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	got := &inbox{}
	if _, err := w.push(w.unique("G"), topic, "*", got.listen); err != nil {
		return err
	}
	ids := map[string]string{}
	for i := 0; i < 100; i++ {
		r, err := p.SendSync(context.Background(), message(topic, "c"+strconv.Itoa(i)))
		if err != nil {
			return err
		}
		ids["c"+strconv.Itoa(i)] = r.MsgID
	}
	if err := got.await(30*time.Second, 100); err != nil {
		return err
	}
	for _, m := range got.all() {
		err := firstOf(
			equal(ids[string(m.Body)], m.MsgId, "id of "+string(m.Body)),
			equal(w.broker, m.StoreHost, "store host"),
			equal(topic, m.Topic, "topic"),
		)
		if err != nil {
			return err
		}
	}
	return equal(numbered("c", 100), sorted(got.bodies()), "bodies")
}

func tagFilter(w *world) error {
	topic, err := w.topic(2)
	if err != nil {
		return err
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	for i := 0; i < 20; i++ {
		if _, err := p.SendSync(context.Background(), message(topic,
			"f"+strconv.Itoa(i)).WithTag("T"+strconv.Itoa(i%4))); err != nil {
			return err
		}
	}
	got := &inbox{}
	if _, err := w.push(w.unique("G"), topic, "T1 || T3", got.listen); err != nil {
		return err
	}
	if err := got.await(30*time.Second, 10); err != nil {
		return err
	}
	var expected []string
	for i := 1; i < 20; i += 2 {
		expected = append(expected, "f"+strconv.Itoa(i))
	}
	return equal(sorted(expected), sorted(got.bodies()), "bodies")
}

func broadcast(w *world) error {
	topic, err := w.topic(2)
	if err != nil {
		return err
	}
	group := w.unique("G")
	inboxes := []*inbox{{}, {}}
	for _, got := range inboxes {
		if _, err := w.push(group, topic, "*", got.listen, consumer.WithConsumerModel(consumer.BroadCasting)); err != nil {
			return err
		}
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	for i := 0; i < 20; i++ {
		if _, err := p.SendSync(context.Background(), message(topic, "x"+strconv.Itoa(i))); err != nil {
			return err
		}
	}
	for _, got := range inboxes {
		if err := firstOf(got.await(30*time.Second, 20), equal(numbered("x", 20), sorted(got.bodies()),
			"bodies of one of two")); err != nil {
			return err
		}
	}
	return nil
}

func ordered(w *world) error {
	topic, err := w.topic(4)
	if err != nil {
		return err
	}
	p, err := w.producer(producer.WithQueueSelector(producer.NewHashQueueSelector()))
	if err != nil {
		return err
	}
	for step := 0; step < 20; step++ {
		for order := 0; order < 5; order++ {
			key := "order" + strconv.Itoa(order)
			if _, err := p.SendSync(context.Background(), message(topic, fmt.Sprintf("%s:%02d", key,
				step)).WithShardingKey(key)); err != nil {
				return err
			}
		}
	}
	got := &inbox{}
	if _, err := w.push(w.unique("G"), topic, "*", got.listen, consumer.WithConsumerOrder(true)); err != nil {
		return err
	}
	if err := got.await(40*time.Second, 100); err != nil {
		return err
	}
	steps := map[string][]string{}
	for _, body := range got.bodies() {
		order, step, _ := strings.Cut(body, ":")
		steps[order] = append(steps[order], step)
	}
	for order, seen := range steps {
		if err := firstOf(equal(20, len(seen), "steps of "+order), equal(sorted(seen), seen, "order of "+order)); err != nil {
			return err
		}
	}
	return nil
}

func resumed(w *world) error {
	topic, err := w.topic(2)
	if err != nil {
		return err
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	group := w.unique("G")
	send := func(prefix string) error {
		for i := 0; i < 10; i++ {
			if _, err := p.SendSync(context.Background(), message(topic, prefix+strconv.Itoa(i))); err != nil {
				return err
			}
		}
		return nil
	}
	first, second := &inbox{}, &inbox{}
	stop, err := w.push(group, topic, "*", first.listen)
	if err != nil {
		return err
	}
	if err := firstOf(send("before"), first.await(30*time.Second, 10)); err != nil {
		return err
	}
	stop()
	if err := send("after"); err != nil {
		return err
	}
	if _, err := w.push(group, topic, "*", second.listen); err != nil {
		return err
	}
	return firstOf(second.await(30*time.Second, 10), equal(numbered("after", 10), sorted(second.bodies()),
		"bodies after the restart"))
}

// rebalance: the Go client rebalances every 20 s by itself; sooner only when the broker tells it of a change.
func rebalance(w *world) error {
	topic, err := w.topic(4)
	if err != nil {
		return err
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	group := w.unique("G")
	one, two := &inbox{}, &inbox{}
	if _, err := w.push(group, topic, "*", one.listen); err != nil {
		return err
	}
	stop, err := w.push(group, topic, "*", two.listen)
	if err != nil {
		return err
	}
	sent := 0
	send := func() error {
		sent++
		_, err := p.SendSync(context.Background(), message(topic, "r"+strconv.Itoa(sent)))
		return err
	}
	err = eventually(40*time.Second, func() (bool, string) {
		if err := send(); err != nil {
			return false, err.Error()
		}
		return len(one.all()) > 0 && len(two.all()) > 0, fmt.Sprintf("messages at both, seen %d and %d", len(one.all()),
			len(two.all()))
	})
	if err != nil {
		return err
	}
	stop()
	for i := 0; i < 8; i++ {
		if err := send(); err != nil {
			return err
		}
	}
	return eventually(15*time.Second, func() (bool, string) {
		distinct := map[string]bool{}
		for _, body := range append(one.bodies(), two.bodies()...) {
			distinct[body] = true
		}
		return len(distinct) == sent, fmt.Sprintf("%d of %d messages after one has left", len(distinct), sent)
	})
}

func latency(w *world) error {
	topic, err := w.topic(1)
	if err != nil {
		return err
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	got := &inbox{}
	if _, err := w.push(w.unique("G"), topic, "*", got.listen); err != nil {
		return err
	}
	send := func(body string) error {
		_, err := p.SendSync(context.Background(), message(topic, body))
		return err
	}
	if err := firstOf(send("warm-up"), got.await(30*time.Second, 1)); err != nil {
		return err
	}
	for i := 1; i <= 5; i++ {
		before := time.Now()
		if err := firstOf(send("l"+strconv.Itoa(i)), got.await(15*time.Second, i+1)); err != nil {
			return err
		}
		if took := got.arrival(i).Sub(before); took > 3*time.Second {
			return fmt.Errorf("arrived after %s", took)
		}
	}
	return nil
}

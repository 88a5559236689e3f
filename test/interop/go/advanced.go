package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// retry: the Go client asks for the retry topic's route every 30 s, so a retry may take that long.
func retry(w *world) error {
	topic, err := w.topic(1)
	if err != nil {
		return err
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	got := &inbox{}
	_, err = w.push(w.unique("G"), topic, "*", func(ctx context.Context,
		messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		got.add(messages)
		if messages[0].ReconsumeTimes > 0 {
			return consumer.ConsumeSuccess, nil
		}
		if c, ok := primitive.GetConcurrentlyCtx(ctx); ok {
			c.DelayLevelWhenNextConsume = 1
		}
		return consumer.ConsumeRetryLater, nil
	})
	if err != nil {
		return err
	}
	if _, err := p.SendSync(context.Background(), message(topic, "again")); err != nil {
		return err
	}
	if err := got.await(75*time.Second, 2); err != nil {
		return err
	}
	second := got.all()[1]
	return firstOf(equal("again", string(second.Body), "body"), equal(1, second.ReconsumeTimes, "reconsume times"),
		equal(topic, second.Topic, "topic"))
}

func delayLevel(w *world) error {
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
	if _, err := p.SendSync(context.Background(), message(topic, "now")); err != nil {
		return err
	}
	if err := got.await(30*time.Second, 1); err != nil {
		return err
	}
	sent := time.Now()
	if _, err := p.SendSync(context.Background(), message(topic, "5 s").WithDelayTimeLevel(2)); err != nil {
		return err
	}
	if err := got.await(20*time.Second, 2); err != nil {
		return err
	}
	if took := got.arrival(1).Sub(sent); took < 5*time.Second || took > 8*time.Second {
		return fmt.Errorf("level 2 took %s", took)
	}
	return nil
}

type decider struct {
	first, onCheck primitive.LocalTransactionState
	checks         atomic.Int32
}

func (d *decider) ExecuteLocalTransaction(*primitive.Message) primitive.LocalTransactionState {
	return d.first
}

func (d *decider) CheckLocalTransaction(*primitive.MessageExt) primitive.LocalTransactionState {
	d.checks.Add(1)
	return d.onCheck
}

func transactionCommit(w *world) error {
	_, err := transaction(w, &decider{first: primitive.CommitMessageState, onCheck: primitive.UnknowState})
	return err
}

func transactionCheck(w *world) error {
	d, err := transaction(w, &decider{first: primitive.UnknowState, onCheck: primitive.CommitMessageState})
	if err == nil && d.checks.Load() == 0 {
		return fmt.Errorf("no check before the message came")
	}
	return err
}

func transaction(w *world, d *decider) (*decider, error) {
	topic, err := w.topic(1)
	if err != nil {
		return d, err
	}
	group := w.unique("G")
	p, err := rocketmq.NewTransactionProducer(d, producer.WithNsResolver(w.resolver()), producer.WithGroupName(group),
		producer.WithInstanceName(group))
	if err != nil {
		return d, err
	}
	if err := p.Start(); err != nil {
		return d, err
	}
	w.onClose(func() { _ = p.Shutdown() })
	got := &inbox{}
	if _, err := w.push(w.unique("G"), topic, "*", got.listen); err != nil {
		return d, err
	}
	if _, err := p.SendMessageInTransaction(context.Background(), message(topic, "paid")); err != nil {
		return d, err
	}
	return d, firstOf(got.await(75*time.Second, 1), equal("paid", strings.Join(got.bodies(), ","), "bodies"))
}

func requestReply(w *world) error {
	topic, err := w.topic(1)
	if err != nil {
		return err
	}
	p, err := w.producer()
	if err != nil {
		return err
	}
	_, err = w.push(w.unique("G"), topic, "*", func(_ context.Context,
		messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, m := range messages {
			body := []byte(strings.ToUpper(string(m.Body)))
			reply, err := consumer.CreateReplyMessage(m, body)
			if err != nil {
				return consumer.ConsumeRetryLater, err
			}
			// CreateReplyMessage of 2.1.2 reads the body as properties and leaves the reply without one.
			reply.Body = body
			if _, err := p.SendSync(context.Background(), reply); err != nil {
				fmt.Fprintln(os.Stderr, "reply:", err)
			}
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return err
	}
	// The broker pushes the reply to a client it knows by heartbeat, and the Go client may send its first one only after
	// 30 s.
	var reply *primitive.Message
	err = eventually(60*time.Second, func() (bool, string) {
		reply, err = p.Request(context.Background(), 5*time.Second, message(topic, "question"))
		return err == nil, fmt.Sprintf("a reply: %v", err)
	})
	if err != nil {
		return err
	}
	return equal("QUESTION", string(reply.Body), "reply")
}

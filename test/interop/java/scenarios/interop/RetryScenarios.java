package interop;

import static interop.Context.message;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Messages that fail: they come back, and end in the dead-letter queue. */
final class RetryScenarios {
  static List<Scenario> all() {
    return List.of(
        Scenario.of(Scenario.ADVANCED, "retry-comes-back", RetryScenarios::comesBack),
        Scenario.of(Scenario.ADVANCED, "retry-keeps-other-messages-going", RetryScenarios::othersGoOn),
        Scenario.slow(Scenario.ADVANCED, "retry-default-level-10s", 60, RetryScenarios::defaultLevel),
        Scenario.of(Scenario.ADVANCED, "retry-limit-then-dead-letter", RetryScenarios::limit),
        Scenario.of(Scenario.ADVANCED, "retry-limit-of-the-group", RetryScenarios::groupLimit),
        Scenario.of(Scenario.ADVANCED, "dead-letter-at-once", RetryScenarios::deadLetterAtOnce),
        Scenario.of(Scenario.ADVANCED, "ordered-retry-in-place", RetryScenarios::orderedInPlace),
        Scenario.of(Scenario.ADVANCED, "ordered-retry-then-dead-letter", RetryScenarios::orderedDeadLetter));
  }

  /** A consumer that is online with its retry topic routed before the first message: a retry then takes its level's time only. */
  private static DefaultMQPushConsumer online(Context c, DefaultMQPushConsumer consumer, String topic,
      Inbox inbox) throws Exception {
    c.push(consumer, topic, "*", inbox);
    Check.eventually(20, () ->
        consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet().stream()
        .anyMatch(mq -> mq.getTopic().startsWith("%RETRY%")), () -> "a queue of the retry topic");
    return consumer;
  }

  private static void comesBack(Context c) throws Exception {
    String topic = c.topic(1);
    Wire wire = new Wire();
    Inbox inbox = new Inbox(m -> m.getReconsumeTimes() < 2 ? 1 : null);
    online(c, c.consumer(c.group(), wire), topic, inbox);
    var m = message(topic, "tag", "again");
    m.putUserProperty("p", "kept");
    SendResult sent = c.producer().send(m);
    inbox.await(25, 3);
    for (int i = 0; i < 3; i++) {
      MessageExt got = inbox.get(i);
      Check.equal(i, got.getReconsumeTimes(), "reconsume times of delivery " + i);
      Check.equal(topic, got.getTopic(), "topic of delivery " + i);
      Check.equal("again", Inbox.text(got), "body of delivery " + i);
      Check.equal("kept", got.getUserProperty("p"), "property of delivery " + i);
      Check.equal("tag", got.getTags(), "tag of delivery " + i);
      if (i > 0) {
        Check.equal(sent.getOffsetMsgId(), got.getProperty("ORIGIN_MESSAGE_ID"), "origin id of delivery " + i);
        Check.that(inbox.arrival(i) - inbox.arrival(i - 1) >= 1000, "level 1 is a second, came after "
            + (inbox.arrival(i) - inbox.arrival(i - 1)));
      }
    }
    Check.equal(2, wire.count(Codes.CONSUMER_SEND_MSG_BACK), "requests with code 36");
  }

  private static void othersGoOn(Context c) throws Exception {
    String topic = c.topic(1);
    Inbox inbox = new Inbox(m -> Inbox.text(m).equals("bad") && m.getReconsumeTimes() == 0 ? 2 : null);
    online(c, c.consumer(c.group(), null), topic, inbox);
    var producer = c.producer();
    producer.send(message(topic, "bad"));
    for (int i = 0; i < 10; i++) producer.send(message(topic, "good" + i));
    inbox.await(25, 12);
    List<String> bodies = inbox.bodies();
    Check.equal("bad", bodies.get(11), "what comes last");
    Check.equal(1, inbox.get(11).getReconsumeTimes(), "its reconsume times");
  }

  private static void defaultLevel(Context c) throws Exception {
    String topic = c.topic(1);
    Inbox inbox = new Inbox(m -> m.getReconsumeTimes() == 0 ? 0 : null);
    online(c, c.consumer(c.group(), null), topic, inbox);
    c.producer().send(message(topic, "ten seconds"));
    inbox.await(30, 2);
    long after = inbox.arrival(1) - inbox.arrival(0);
    Check.that(after >= 10_000 && after < 15_000, "came back after " + after + " ms");
  }

  private static void limit(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    Inbox inbox = new Inbox(m -> 1);
    DefaultMQPushConsumer consumer = c.consumer(group, null);
    consumer.setMaxReconsumeTimes(2);
    online(c, consumer, topic, inbox);
    c.producer().send(message(topic, "never"));
    MessageExt dead = deadLetter(c, group, "never");
    Check.equal(3, inbox.size(), "deliveries before it was given up");
    Check.equal(topic, dead.getProperty("RETRY_TOPIC"), "origin topic of the dead letter");
  }

  private static void groupLimit(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    Compat.createGroup(c.admin(), c.broker(), group, 1);
    Inbox inbox = new Inbox(m -> 1);
    DefaultMQPushConsumer consumer = c.consumer(group, null);
    consumer.setMaxReconsumeTimes(1);
    online(c, consumer, topic, inbox);
    c.producer().send(message(topic, "limited"));
    deadLetter(c, group, "limited");
    Check.equal(2, inbox.size(), "deliveries before it was given up");
  }

  private static void deadLetterAtOnce(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    Inbox inbox = new Inbox(m -> -1);
    online(c, c.consumer(group, null), topic, inbox);
    c.producer().send(message(topic, "poison"));
    deadLetter(c, group, "poison");
    Check.equal(1, inbox.size(), "deliveries");
  }

  @SuppressWarnings("deprecation")
  private static MessageExt deadLetter(Context c, String group, String body) throws Exception {
    MessageQueue mq = new MessageQueue("%DLQ%" + group, c.fleet.brokerName, 0);
    var reader = c.pull(c.group());
    PullResult[] last = new PullResult[1];
    Check.eventually(25, () -> {
      last[0] = reader.pull(mq, "*", 0, 32);
      return last[0].getPullStatus() == PullStatus.FOUND;
    }, () -> "a dead letter in " + mq + ", last answer " + last[0]);
    List<MessageExt> found = last[0].getMsgFoundList();
    Check.equal(1, found.size(), "dead letters");
    Check.equal(body, Inbox.text(found.get(0)), "body of the dead letter");
    return found.get(0);
  }

  private static void orderedInPlace(Context c) throws Exception {
    String topic = c.topic(1);
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    AtomicInteger refusals = new AtomicInteger();
    DefaultMQPushConsumer consumer = c.consumer(c.group(), null);
    consumer.subscribe(topic, "*");
    consumer.setSuspendCurrentQueueTimeMillis(100);
    consumer.registerMessageListener((org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly) (batch,
        context) -> {
      String body = Inbox.text(batch.get(0));
      seen.add(body);
      return body.equals("1") && refusals.incrementAndGet() <= 3
          ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT : ConsumeOrderlyStatus.SUCCESS;
    });
    consumer.start();
    var producer = c.producer();
    for (int i = 0; i < 4; i++) producer.send(message(topic, String.valueOf(i)));
    Check.eventually(20, () -> seen.size() == 7, () -> "7 deliveries, seen " + seen);
    Check.equal(List.of("0", "1", "1", "1", "1", "2", "3"), List.copyOf(seen), "order of deliveries");
  }

  private static void orderedDeadLetter(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    DefaultMQPushConsumer consumer = c.consumer(group, null);
    consumer.subscribe(topic, "*");
    consumer.setSuspendCurrentQueueTimeMillis(100);
    consumer.setMaxReconsumeTimes(2);
    consumer.registerMessageListener((org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly) (batch,
        context) -> {
      String body = Inbox.text(batch.get(0));
      seen.add(body);
      return body.equals("1") ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT : ConsumeOrderlyStatus.SUCCESS;
    });
    consumer.start();
    var producer = c.producer();
    for (int i = 0; i < 3; i++) producer.send(message(topic, String.valueOf(i)));
    deadLetter(c, group, "1");
    Check.eventually(20, () -> seen.contains("2"), () -> "the queue to go on, seen " + seen);
    Check.equal(List.of("0", "1", "1", "1", "2"), List.copyOf(seen), "order of deliveries");
  }

  private RetryScenarios() {}
}

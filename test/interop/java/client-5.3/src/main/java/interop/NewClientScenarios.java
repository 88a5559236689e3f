package interop;

import static interop.Context.message;

import java.util.List;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.compression.CompressionType;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageRequestMode;

/** What only the 5.x client can: its compression types, messages for a chosen time, recall, automatic batches, POP. */
final class NewClientScenarios {
  static List<Scenario> all() {
    return List.of(
        Scenario.of(Scenario.CORE, "compressed-body-lz4", c -> compressed(c, CompressionType.LZ4, 0x100)),
        Scenario.of(Scenario.CORE, "compressed-body-zstd", c -> compressed(c, CompressionType.ZSTD, 0x200)),
        Scenario.of(Scenario.CORE, "compressed-body-zlib-typed", c -> compressed(c, CompressionType.ZLIB, 0x300)),
        Scenario.of(Scenario.CORE, "producer-auto-batch", NewClientScenarios::autoBatch),
        Scenario.slow(Scenario.CORE, "heartbeat-v2", 60, NewClientScenarios::heartbeatV2),
        Scenario.of(Scenario.ADVANCED, "timer-message", NewClientScenarios::timer),
        Scenario.of(Scenario.ADVANCED, "timer-message-recalled", NewClientScenarios::recall),
        Scenario.of(Scenario.ADVANCED, "timer-beyond-the-limit", NewClientScenarios::timerTooFar),
        Scenario.of(Scenario.POP, "pop-consumer", NewClientScenarios::pop));
  }

  private static void compressed(Context c, CompressionType type, int bits) throws Exception {
    DefaultMQProducer producer = new DefaultMQProducer(c.group());
    producer.setCompressType(type);
    Compression.roundTrip(c, bits, c.start(producer));
  }

  private static void autoBatch(Context c) throws Exception {
    String topic = c.topic(2);
    DefaultMQProducer producer = new DefaultMQProducer(c.group());
    producer.setAutoBatch(true);
    c.start(producer);
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    for (int i = 0; i < 10; i++) Check.that(producer.send(message(topic, "tag", "b" + i)).getMsgId() != null, "no id");
    inbox.await(15, 10);
    Check.equal(SendScenarios.numbered("b", 10), new TreeSet<>(inbox.bodies()), "bodies");
  }

  private static void heartbeatV2(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    Inbox inbox = new Inbox();
    DefaultMQPushConsumer consumer = c.consumer(group, null);
    consumer.setUseHeartbeatV2(true);
    c.push(consumer, topic, "first", inbox);
    DefaultMQProducer producer = c.producer();
    producer.send(message(topic, "first", "1"));
    inbox.await(15, 1);
    consumer.subscribe(topic, "second");
    Check.eventually(15, () ->
        "second".equals(c.admin().examineConsumerConnectionInfo(group).getSubscriptionTable().get(topic).getSubString()),
        () -> "the broker to learn the new subscription");
    // What arrives while a pull is still held with the old subscription may be passed over: that is so in Java too.
    Check.eventually(30, () -> {
      producer.send(message(topic, "second", "2"));
      return inbox.bodies().contains("2");
    }, () -> "a message of the new subscription, seen " + inbox.bodies());
  }

  private static void timer(Context c) throws Exception {
    String topic = c.topic(1);
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    DefaultMQProducer producer = c.producer();
    producer.send(message(topic, "now"));
    inbox.await(15, 1);
    long start = System.currentTimeMillis();
    Message late = message(topic, "tag", "6 s");
    late.setDelayTimeSec(6);
    producer.send(late);
    Message middle = message(topic, "tag", "4.5 s");
    middle.setDelayTimeMs(4500);
    producer.send(middle);
    Message early = message(topic, "tag", "2.5 s");
    early.setDeliverTimeMs(start + 2500);
    producer.send(early);
    Message past = message(topic, "tag", "past");
    past.setDeliverTimeMs(start - 60_000);
    producer.send(past);
    inbox.await(20, 5);
    Check.equal(List.of("now", "past", "2.5 s", "4.5 s", "6 s"), inbox.bodies(), "order of arrival");
    long[] due = {2500, 4500, 6000};
    for (int i = 0; i < due.length; i++) {
      long late1 = inbox.arrival(i + 2) - start - due[i];
      Check.that(late1 >= 0 && late1 < 3000, inbox.bodies().get(i + 2) + " came " + late1 + " ms after its time");
      Check.equal(topic, inbox.get(i + 2).getTopic(), "topic");
      Check.equal("tag", inbox.get(i + 2).getTags(), "tag");
    }
  }

  /** The broker is configured with recallMessageEnable. */
  private static void recall(Context c) throws Exception {
    String topic = c.topic(1);
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    DefaultMQProducer producer = c.producer();
    Message unwanted = message(topic, "unwanted");
    unwanted.setDelayTimeSec(6);
    SendResult sent = producer.send(unwanted);
    Check.that(sent.getRecallHandle() != null, "no recall handle");
    Message after = message(topic, "after");
    after.setDelayTimeSec(9);
    producer.send(after);
    Check.equal(sent.getMsgId(), producer.recallMessage(topic, sent.getRecallHandle()), "id of the recalled message");
    inbox.await(25, 1);
    Check.equal(List.of("after"), inbox.bodies(), "bodies");
  }

  private static void timerTooFar(Context c) throws Exception {
    String topic = c.topic(1);
    DefaultMQProducer producer = c.producer();
    Message m = message(topic, "too far");
    m.setDeliverTimeMs(System.currentTimeMillis() + 4 * 24 * 3_600_000L);
    Check.equal(Codes.MESSAGE_ILLEGAL, Check.refusedWith(() -> producer.send(m)), "response code");
  }

  private static void pop(Context c) throws Exception {
    String topic = c.topic(4);
    String group = c.group();
    Compat.createGroup(c.admin(), c.broker(), group, 16);
    c.admin().setMessageRequestMode(c.broker(), topic, group, MessageRequestMode.POP, 8, 5000);
    Inbox inbox = new Inbox();
    DefaultMQPushConsumer consumer = c.consumer(group, null);
    consumer.setClientRebalance(false);
    c.push(consumer, topic, "*", inbox);
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 40; i++) producer.send(message(topic, "p" + i));
    inbox.await(25, 40);
    Check.equal(SendScenarios.numbered("p", 40), new TreeSet<>(inbox.bodies()), "bodies");
    Check.that(inbox.all().stream().allMatch(m -> m.getProperty("POP_CK") != null), "not consumed by POP");
  }

  private NewClientScenarios() {}
}

package interop;

import static interop.Context.message;

import java.util.List;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

/** SQL92 filters. The broker is configured with enablePropertyFilter. */
final class FilterScenarios {
  static List<Scenario> all() {
    return List.of(
        Scenario.of(Scenario.ADVANCED, "sql92-filter", FilterScenarios::sql),
        Scenario.of(Scenario.ADVANCED, "sql92-missing-properties", FilterScenarios::missing),
        Scenario.of(Scenario.ADVANCED, "sql92-lite-pull", FilterScenarios::litePull),
        Scenario.of(Scenario.ADVANCED, "sql92-that-does-not-parse", FilterScenarios::broken));
  }

  private static void sql(Context c) throws Exception {
    String topic = c.topic(2);
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 20; i++) producer.send(priced(topic, i));
    Inbox inbox = select(c, topic, "(price BETWEEN 5 AND 12 AND color IN ('red', 'blue')) OR TAGS = 'gift'");
    inbox.await(15, 9);
    producer.send(priced(topic, 7));
    producer.send(priced(topic, 19));
    producer.send(priced(topic, 6));
    inbox.await(15, 10);
    Check.equal(new TreeSet<>(List.of("0", "5", "6", "8", "9", "10", "11", "12", "15")), distinct(inbox), "bodies");
  }

  /** Every third is green (and so not chosen by color), every fifteenth a gift. */
  private static Message priced(String topic, int i) {
    Message m = message(topic, i % 15 == 0 ? "gift" : "usual", String.valueOf(i));
    m.putUserProperty("price", String.valueOf(i));
    m.putUserProperty("color", i == 7 ? "green" : i % 2 == 0 ? "red" : "blue");
    return m;
  }

  private static void missing(Context c) throws Exception {
    String topic = c.topic(1);
    DefaultMQProducer producer = c.producer();
    producer.send(message(topic, "bare"));
    producer.send(with(topic, "a3", "a", "3"));
    producer.send(with(topic, "a7", "a", "7"));
    producer.send(with(topic, "b", "b", "1"));
    Inbox unequal = select(c, topic, "a <> 7");
    Inbox either = select(c, topic, "a IS NULL OR a <> 7");
    Inbox not = select(c, topic, "NOT (a > 5)");
    either.await(15, 3);
    unequal.await(15, 1);
    not.await(15, 1);
    Check.equal(new TreeSet<>(List.of("bare", "a3", "b")), distinct(either), "a IS NULL OR a <> 7");
    Check.equal(List.of("a3"), unequal.bodies(), "a <> 7");
    Check.equal(List.of("a3"), not.bodies(), "NOT (a > 5)");
  }

  private static Message with(String topic, String body, String key, String value) {
    Message m = message(topic, body);
    m.putUserProperty(key, value);
    return m;
  }

  private static Inbox select(Context c, String topic, String expression) throws Exception {
    Inbox inbox = new Inbox();
    DefaultMQPushConsumer consumer = c.consumer(c.group(), null);
    consumer.subscribe(topic, MessageSelector.bySql(expression));
    consumer.registerMessageListener(inbox);
    consumer.start();
    return inbox;
  }

  private static TreeSet<String> distinct(Inbox inbox) {
    return new TreeSet<>(inbox.bodies());
  }

  private static void litePull(Context c) throws Exception {
    String topic = c.topic(1);
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 10; i++) producer.send(priced(topic, i));
    var consumer = c.litePull(c.group(), null);
    consumer.subscribe(topic, MessageSelector.bySql("price > 7"));
    consumer.start();
    Inbox inbox = new Inbox();
    Check.eventually(20, () -> {
      inbox.add(consumer.poll(500));
      return inbox.size() >= 2;
    }, () -> "2 messages, seen " + inbox.bodies());
    Check.equal(List.of("8", "9"), inbox.bodies(), "bodies");
  }

  private static void broken(Context c) throws Exception {
    String topic = c.topic(1);
    for (String expression : List.of("a >", "a BETWEEN 9 AND 1", "a = 1 AND")) {
      DefaultMQPushConsumer consumer = c.consumer(c.group(), null);
      consumer.subscribe(topic, MessageSelector.bySql(expression));
      consumer.registerMessageListener(new Inbox());
      try {
        consumer.start();
        throw new AssertionError("started with " + expression);
      } catch (MQClientException e) {
        Check.equal(Codes.SUBSCRIPTION_PARSE_FAILED, e.getResponseCode(), "response code for " + expression);
      }
    }
  }

  private FilterScenarios() {}
}

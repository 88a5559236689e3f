package interop;

import static interop.Context.message;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Push consumers: cluster, broadcast, tags, rebalance, order, long polling. */
final class ConsumeScenarios {
  static List<Scenario> all() {
    return List.of(
        Scenario.of(Scenario.CORE, "push-consumer-cluster", ConsumeScenarios::cluster),
        Scenario.of(Scenario.CORE, "push-consumer-two-groups", ConsumeScenarios::twoGroups),
        Scenario.of(Scenario.CORE, "push-consumer-many-topics", ConsumeScenarios::manyTopics),
        Scenario.of(Scenario.CORE, "tag-filter", ConsumeScenarios::tags),
        Scenario.of(Scenario.CORE, "tag-filter-same-hash", ConsumeScenarios::sameHash),
        Scenario.of(Scenario.CORE, "broadcast", ConsumeScenarios::broadcast),
        Scenario.of(Scenario.CORE, "offsets-resumed-after-restart", ConsumeScenarios::resume),
        Scenario.of(Scenario.CORE, "rebalance-between-two-consumers", ConsumeScenarios::rebalance),
        Scenario.of(Scenario.CORE, "ordered-consumption", ConsumeScenarios::ordered),
        Scenario.of(Scenario.CORE, "ordered-consumption-handed-over", ConsumeScenarios::orderedHandOver),
        Scenario.of(Scenario.CORE, "more-queues-are-consumed", ConsumeScenarios::moreQueues),
        Scenario.alone(Scenario.CORE, "long-polling-latency", ConsumeScenarios::latency));
  }

  private static void cluster(Context c) throws Exception {
    String topic = c.topic(4);
    DefaultMQProducer producer = c.producer();
    Map<String, String> sent = new HashMap<>();
    for (int i = 0; i < 100; i++) {
      var m = message(topic, "tag", "c" + i);
      m.putUserProperty("n", String.valueOf(i));
      sent.put("c" + i, producer.send(m).getMsgId());
    }
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    inbox.await(15, 100);
    for (int i = 100; i < 200; i++) {
      var m = message(topic, "tag", "c" + i);
      m.putUserProperty("n", String.valueOf(i));
      sent.put("c" + i, producer.send(m).getMsgId());
    }
    inbox.await(15, 200);
    for (MessageExt m : inbox.all()) {
      String body = Inbox.text(m);
      Check.equal(sent.get(body), m.getMsgId(), "id of " + body);
      Check.equal(body.substring(1), m.getUserProperty("n"), "property of " + body);
      Check.equal(topic, m.getTopic(), "topic");
      Check.equal(0, m.getReconsumeTimes(), "reconsume times");
      Check.equal("/" + c.broker(), m.getStoreHost().toString(), "store host");
    }
    Check.equal(SendScenarios.numbered("c", 200), new TreeSet<>(inbox.bodies()), "bodies");
    Check.equal(200, inbox.size(), "deliveries");
  }

  private static void twoGroups(Context c) throws Exception {
    String topic = c.topic(2);
    Inbox one = new Inbox();
    Inbox two = new Inbox();
    c.push(c.group(), topic, "*", one);
    c.push(c.group(), topic, "*", two);
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 20; i++) producer.send(message(topic, "g" + i));
    one.await(15, 20);
    two.await(15, 20);
    Check.equal(new TreeSet<>(one.bodies()), new TreeSet<>(two.bodies()), "what both groups got");
  }

  private static void manyTopics(Context c) throws Exception {
    List<String> topics = List.of(c.topic(1), c.topic(2), c.topic(3));
    Inbox inbox = new Inbox();
    DefaultMQPushConsumer consumer = c.consumer(c.group(), null);
    for (String topic : topics) consumer.subscribe(topic, topic.equals(topics.get(1)) ? "keep" : "*");
    consumer.registerMessageListener(inbox);
    consumer.start();
    DefaultMQProducer producer = c.producer();
    for (String topic : topics) {
      producer.send(message(topic, "drop", topic + "-drop"));
      producer.send(message(topic, "keep", topic + "-keep"));
    }
    inbox.await(15, 5);
    Set<String> expected = new TreeSet<>();
    for (String topic : topics) {
      expected.add(topic + "-keep");
      if (!topic.equals(topics.get(1))) expected.add(topic + "-drop");
    }
    Check.equal(expected, new TreeSet<>(inbox.bodies()), "bodies");
  }

  private static void tags(Context c) throws Exception {
    String topic = c.topic(2);
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 30; i++) producer.send(message(topic, i % 5 == 4 ? null : "T" + i % 5, "f" + i));
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "T1 || T3", inbox);
    inbox.await(15, 12);
    producer.send(message(topic, "T2", "dropped"));
    producer.send(message(topic, "T3", "last"));
    inbox.await(15, 13);
    Set<String> expected = new TreeSet<>(Set.of("last"));
    for (int i = 0; i < 30; i++) if (i % 5 == 1 || i % 5 == 3) expected.add("f" + i);
    Check.equal(expected, new TreeSet<>(inbox.bodies()), "bodies");
  }

  /** "Aa" and "BB" have one hash code: the broker lets both through, the client keeps its own. */
  private static void sameHash(Context c) throws Exception {
    String topic = c.topic(1);
    DefaultMQProducer producer = c.producer();
    producer.send(message(topic, "Aa", "1"));
    producer.send(message(topic, "BB", "2"));
    producer.send(message(topic, "Aa", "3"));
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "Aa", inbox);
    inbox.await(15, 2);
    Check.equal(List.of("1", "3"), sorted(inbox.bodies()), "bodies");
  }

  private static void broadcast(Context c) throws Exception {
    String topic = c.topic(2);
    String group = c.group();
    List<Inbox> inboxes = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      Inbox inbox = new Inbox();
      DefaultMQPushConsumer consumer = c.consumer(group, null);
      consumer.setInstanceName(c.unique("broadcast"));
      Compat.broadcasting(consumer);
      c.push(consumer, topic, "*", inbox);
      inboxes.add(inbox);
    }
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 20; i++) producer.send(message(topic, "x" + i));
    for (Inbox inbox : inboxes) {
      inbox.await(15, 20);
      Check.equal(SendScenarios.numbered("x", 20), new TreeSet<>(inbox.bodies()), "bodies of one of two");
    }
  }

  private static void resume(Context c) throws Exception {
    String topic = c.topic(2);
    String group = c.group();
    DefaultMQProducer producer = c.producer();
    Inbox first = new Inbox();
    DefaultMQPushConsumer consumer = c.push(group, topic, "*", first);
    for (int i = 0; i < 20; i++) producer.send(message(topic, "before" + i));
    first.await(15, 20);
    consumer.shutdown();
    for (int i = 0; i < 20; i++) producer.send(message(topic, "after" + i));
    c.awaitMessages(topic, 40);
    c.awaitConsumed(group, topic, 20);
    Check.equal(20L, c.admin().examineConsumeStats(group).computeTotalDiff(), "lag while nobody consumes");
    Inbox second = new Inbox();
    c.push(group, topic, "*", second);
    second.await(15, 20);
    Check.equal(SendScenarios.numbered("after", 20), new TreeSet<>(second.bodies()), "bodies after the restart");
    c.awaitConsumed(group, topic, 40);
    Check.equal(0L, c.admin().examineConsumeStats(group).computeTotalDiff(), "lag at the end");
  }

  private static void rebalance(Context c) throws Exception {
    String topic = c.topic(4);
    String group = c.group();
    Inbox one = new Inbox();
    Inbox two = new Inbox();
    Wire wire = new Wire();
    DefaultMQPushConsumer first = c.push(c.consumer(group, wire), topic, "*", one);
    Check.eventually(15, () -> owned(first, topic).size() == 4, () -> "all queues at the first, has " + owned(first,
        topic));
    int noticesAlone = wire.count(Codes.NOTIFY_CONSUMER_IDS_CHANGED);
    DefaultMQPushConsumer second = c.push(group, topic, "*", two);
    Check.eventually(15, () -> owned(first, topic).size() == 2 && owned(second, topic).size() == 2,
        () -> "two queues each, has " + owned(first, topic) + " and " + owned(second, topic));
    Check.that(wire.count(Codes.NOTIFY_CONSUMER_IDS_CHANGED) > noticesAlone,
        "no notice to the first when the second joined");
    DefaultMQProducer producer = c.producer();
    for (MessageQueue mq : c.queues(topic)) for (int i = 0; i < 10; i++) producer.send(message(topic, mq.getQueueId()
        + "-" + i), mq);
    Check.eventually(15, () -> all(one, two).size() == 40, () -> all(one, two).size() + " of 40 messages");
    Check.that(one.size() >= 20 && two.size() >= 20, "shares of " + one.size() + " and " + two.size());
    int noticesTogether = wire.count(Codes.NOTIFY_CONSUMER_IDS_CHANGED);
    second.shutdown();
    Check.eventually(15, () -> owned(first, topic).size() == 4, () -> "all queues back at the first, has "
        + owned(first, topic));
    Check.that(wire.count(Codes.NOTIFY_CONSUMER_IDS_CHANGED) > noticesTogether,
        "no notice to the first when the second left");
    for (MessageQueue mq : c.queues(topic)) producer.send(message(topic, mq.getQueueId() + "-last"), mq);
    Check.eventually(15, () -> all(one, two).size() == 44, () -> all(one, two).size() + " of 44 messages");
  }

  private static Set<MessageQueue> owned(DefaultMQPushConsumer consumer, String topic) {
    Set<MessageQueue> queues = new HashSet<>();
    for (MessageQueue mq : consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet()) {
      if (mq.getTopic().equals(topic)) queues.add(mq);
    }
    return queues;
  }

  private static Set<String> all(Inbox... inboxes) {
    Set<String> bodies = new HashSet<>();
    for (Inbox inbox : inboxes) bodies.addAll(inbox.bodies());
    return bodies;
  }

  private static void ordered(Context c) throws Exception {
    String topic = c.topic(4);
    Wire wire = new Wire();
    Map<String, List<Integer>> seen = new ConcurrentHashMap<>();
    DefaultMQPushConsumer consumer = c.consumer(c.group(), wire);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener(record(seen));
    consumer.start();
    DefaultMQProducer producer = c.producer();
    sendSteps(producer, topic, 0, 20);
    Check.eventually(20, () -> total(seen) >= 200, () -> total(seen) + " of 200 steps");
    for (var order : seen.entrySet()) Check.equal(ascending(20), order.getValue(), "steps of " + order.getKey());
    Check.that(wire.saw(Codes.LOCK_BATCH_MQ), "no queue was locked");
  }

  private static void orderedHandOver(Context c) throws Exception {
    String topic = c.topic(4);
    String group = c.group();
    Map<String, List<Integer>> seen = new ConcurrentHashMap<>();
    AtomicReference<DefaultMQPushConsumer> first = new AtomicReference<>();
    for (int round = 0; round < 2; round++) {
      DefaultMQPushConsumer consumer = c.consumer(group, null);
      consumer.subscribe(topic, "*");
      consumer.registerMessageListener(record(seen));
      consumer.start();
      if (round == 0) first.set(consumer);
    }
    DefaultMQProducer producer = c.producer();
    sendSteps(producer, topic, 0, 10);
    Check.eventually(20, () -> total(seen) >= 100, () -> total(seen) + " of 100 steps");
    first.get().shutdown();
    sendSteps(producer, topic, 10, 20);
    Check.eventually(20, () -> total(seen) >= 200, () -> total(seen) + " of 200 steps after the hand-over");
    for (var order : seen.entrySet()) Check.equal(ascending(20), firsts(order.getValue()), "steps of "
        + order.getKey());
  }

  private static MessageListenerOrderly record(Map<String, List<Integer>> seen) {
    return (batch, context) -> {
      for (MessageExt m : batch) {
        String[] parts = Inbox.text(m).split(":");
        seen.computeIfAbsent(parts[0], k ->
            Collections.synchronizedList(new ArrayList<>())).add(Integer.parseInt(parts[1]));
      }
      return ConsumeOrderlyStatus.SUCCESS;
    };
  }

  private static void sendSteps(DefaultMQProducer producer, String topic, int from, int to) throws Exception {
    for (int step = from; step < to; step++) {
      for (int order = 0; order < 10; order++) {
        producer.send(message(topic, "order" + order + ":" + step), new SelectMessageQueueByHash(), "order" + order);
      }
    }
  }

  /** A hand-over may repeat a step, but never change the order in which steps are first seen. */
  private static List<Integer> firsts(List<Integer> steps) {
    return new ArrayList<>(new java.util.LinkedHashSet<>(steps));
  }

  private static List<Integer> ascending(int count) {
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < count; i++) numbers.add(i);
    return numbers;
  }

  private static int total(Map<String, List<Integer>> seen) {
    AtomicInteger sum = new AtomicInteger();
    seen.values().forEach(l -> sum.addAndGet(new HashSet<>(l).size()));
    return sum.get();
  }

  private static void moreQueues(Context c) throws Exception {
    String topic = c.topic(1);
    Inbox inbox = new Inbox();
    DefaultMQPushConsumer consumer = c.push(c.group(), topic, "*", inbox);
    Check.eventually(15, () -> owned(consumer, topic).size() == 1, () -> "the only queue, has " + owned(consumer,
        topic));
    c.admin().createAndUpdateTopicConfig(c.broker(), new TopicConfig(topic, 3, 3, 6));
    c.awaitRoute(topic, 3);
    Check.eventually(20, () -> owned(consumer, topic).size() == 3, () -> "the new queues too, has " + owned(consumer,
        topic));
    DefaultMQProducer producer = c.producer();
    for (int q = 0; q < 3; q++) producer.send(message(topic, "q" + q), new MessageQueue(topic, c.fleet.brokerName, q));
    inbox.await(15, 3);
    Check.equal(SendScenarios.numbered("q", 3), new TreeSet<>(inbox.bodies()), "bodies");
  }

  /** An idle consumer's pull is held for 15 s; a message must reach it at once. */
  private static void latency(Context c) throws Exception {
    String topic = c.topic(1);
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    DefaultMQProducer producer = c.producer();
    producer.send(message(topic, "warm-up"));
    inbox.await(15, 1);
    List<Long> took = new ArrayList<>();
    for (int i = 1; i <= 10; i++) {
      long before = System.currentTimeMillis();
      producer.send(message(topic, "l" + i));
      inbox.await(15, i + 1);
      took.add(inbox.arrival(i) - before);
    }
    Collections.sort(took);
    Check.that(took.get(5) < 200 && took.get(9) < 2000, "arrived after (ms) " + took);
  }

  private static List<String> sorted(List<String> bodies) {
    return new ArrayList<>(new TreeSet<>(bodies));
  }

  private ConsumeScenarios() {}
}

package interop;

import static interop.Context.message;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Consumers that ask for themselves. */
@SuppressWarnings("deprecation")
final class PullScenarios {
  static List<Scenario> all() {
    return List.of(
        Scenario.of(Scenario.CORE, "lite-pull-subscribe", PullScenarios::subscribe),
        Scenario.of(Scenario.CORE, "lite-pull-assign-seek", PullScenarios::assignSeek),
        Scenario.of(Scenario.CORE, "pull-consumer", PullScenarios::pull),
        Scenario.of(Scenario.CORE, "pull-consumer-offsets", PullScenarios::offsets),
        Scenario.of(Scenario.CORE, "pull-consumer-blocks-until-found", PullScenarios::block),
        Scenario.of(Scenario.CORE, "pull-refused", PullScenarios::refused));
  }

  private static void subscribe(Context c) throws Exception {
    String topic = c.topic(4);
    String group = c.group();
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 40; i++) producer.send(message(topic, i % 2 == 0 ? "even" : "odd", "p" + i));
    Wire wire = new Wire();
    DefaultLitePullConsumer consumer = c.litePull(group, wire);
    consumer.subscribe(topic, "even");
    consumer.start();
    Inbox inbox = new Inbox();
    Check.eventually(20, () -> {
      inbox.add(consumer.poll(500));
      return inbox.size() >= 20;
    }, () -> inbox.size() + " of 20 messages");
    for (MessageExt m : inbox.all()) Check.equal("even", m.getTags(), "tag");
    Check.that(wire.saw(Compat.LITE_PULL_CODE), "no request with code " + Compat.LITE_PULL_CODE);
    consumer.commitSync();
    consumer.shutdown();
    producer.send(message(topic, "even", "later"));
    DefaultLitePullConsumer next = c.litePull(group, null);
    next.subscribe(topic, "even");
    next.start();
    Inbox later = new Inbox();
    Check.eventually(20, () -> {
      later.add(next.poll(500));
      return later.size() >= 1;
    }, () -> "the message sent after the commit");
    Check.equal(List.of("later"), later.bodies(), "what the restarted consumer gets");
  }

  private static void assignSeek(Context c) throws Exception {
    String topic = c.topic(2);
    DefaultMQProducer producer = c.producer();
    MessageQueue mq = c.queues(topic).get(0);
    for (int i = 0; i < 10; i++) producer.send(message(topic, "s" + i), mq);
    long middle = c.pull(c.group()).pull(mq, "*", 5, 1).getMsgFoundList().get(0).getStoreTimestamp();
    DefaultLitePullConsumer consumer = c.litePull(c.group(), null);
    consumer.start();
    Check.equal(2, consumer.fetchMessageQueues(topic).size(), "queues of the topic");
    consumer.assign(List.of(mq));
    // All is polled before each seek: what a pull under way brings, this client may still hand out after the seek.
    Check.equal(10, polled(consumer, 10).size(), "messages of the assigned queue");
    consumer.seek(mq, 7);
    Check.equal(List.of("s7", "s8", "s9"), polled(consumer, 3), "from offset 7");
    consumer.seekToBegin(mq);
    Check.equal(10, polled(consumer, 10).size(), "messages from the beginning");
    consumer.seekToEnd(mq);
    producer.send(message(topic, "tail"), mq);
    Check.equal(List.of("tail"), polled(consumer, 1), "after the end");
    long found = consumer.offsetForTimestamp(mq, middle);
    Check.that(found <= 5, "offset for the time of message 5: " + found);
    consumer.seek(mq, 4);
    Check.equal("s4", polled(consumer, 7).get(0), "back to 4");
    consumer.commitSync();
    Check.eventually(10, () -> consumer.committed(mq) == 11L, () -> "11 committed, seen " + consumer.committed(mq));
  }

  private static List<String> polled(DefaultLitePullConsumer consumer, int count) throws Exception {
    Inbox inbox = new Inbox();
    Check.eventually(15, () -> {
      inbox.add(consumer.poll(300));
      return inbox.size() >= count;
    }, () -> inbox.size() + " of " + count + " polled");
    return inbox.bodies();
  }

  private static void pull(Context c) throws Exception {
    String topic = c.topic(2);
    DefaultMQProducer producer = c.producer();
    List<MessageQueue> queues = c.queues(topic);
    MessageQueue mq = queues.get(0);
    for (int i = 0; i < 50; i++) producer.send(message(topic, i == 40 ? "rare" : "usual", "p" + i), mq);
    DefaultMQPullConsumer consumer = c.pull(c.group());
    Check.equal(new TreeSet<>(queues), new TreeSet<>(consumer.fetchSubscribeMessageQueues(topic)), "queues");
    List<String> bodies = new ArrayList<>();
    long offset = 0;
    while (offset < 50) {
      PullResult r = consumer.pull(mq, "*", offset, 32);
      Check.equal(PullStatus.FOUND, r.getPullStatus(), "status at " + offset);
      Check.equal(offset + r.getMsgFoundList().size(), r.getNextBeginOffset(), "next offset");
      Check.that(r.getMsgFoundList().size() <= 32, "more messages than asked for: " + r.getMsgFoundList().size());
      Check.equal(50L, r.getMaxOffset(), "max offset");
      Check.equal(0L, r.getMinOffset(), "min offset");
      for (MessageExt m : r.getMsgFoundList()) bodies.add(Inbox.text(m));
      offset = r.getNextBeginOffset();
    }
    Check.equal(50, bodies.size(), "messages");
    Check.equal("p49", bodies.get(49), "last message");
    PullResult end = consumer.pull(mq, "*", 50, 32);
    Check.equal(PullStatus.NO_NEW_MSG, end.getPullStatus(), "status at the end");
    Check.equal(50L, end.getNextBeginOffset(), "next offset at the end");
    PullResult beyond = consumer.pull(mq, "*", 1000, 32);
    Check.equal(PullStatus.OFFSET_ILLEGAL, beyond.getPullStatus(), "status beyond the end");
    Check.equal(50L, beyond.getNextBeginOffset(), "next offset beyond the end");
    PullResult empty = consumer.pull(queues.get(1), "*", 5, 32);
    Check.equal(PullStatus.OFFSET_ILLEGAL, empty.getPullStatus(), "status in an empty queue");
    Check.equal(0L, empty.getNextBeginOffset(), "next offset in an empty queue");
    PullResult rare = consumer.pull(mq, "rare", 0, 32);
    Check.equal(PullStatus.FOUND, rare.getPullStatus(), "status with a tag");
    Check.equal("p40", Inbox.text(rare.getMsgFoundList().get(0)), "message with the tag");
    Check.equal(PullStatus.NO_MATCHED_MSG, consumer.pull(mq, "absent", 0, 32).getPullStatus(),
        "status with an absent tag");
  }

  private static void offsets(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    DefaultMQProducer producer = c.producer();
    MessageQueue mq = c.queues(topic).get(0);
    long start = System.currentTimeMillis();
    for (int i = 0; i < 10; i++) producer.send(message(topic, "o" + i), mq);
    // Offsets are kept for known groups only, and this consumer never heartbeats: it does not subscribe.
    Compat.createGroup(c.admin(), c.broker(), group, 16);
    DefaultMQPullConsumer consumer = c.pull(group);
    consumer.updateConsumeOffset(mq, 6);
    consumer.getDefaultMQPullConsumerImpl().getOffsetStore().persistAll(Set.of(mq));
    DefaultMQPullConsumer other = c.pull(group + "-other");
    Check.eventually(10, () -> consumer.fetchConsumeOffset(mq, true) == 6, () -> "6 stored, seen "
        + consumer.fetchConsumeOffset(mq, true));
    Check.that(other.fetchConsumeOffset(mq, true) <= 0, "another group's offset: " + other.fetchConsumeOffset(mq,
        true));
    Check.eventually(10, () -> consumer.maxOffset(mq) == 10, () -> "max offset 10, seen " + consumer.maxOffset(mq));
    Check.equal(0L, consumer.minOffset(mq), "min offset");
    Check.equal(0L, consumer.searchOffset(mq, start - 60_000), "offset of a time before all");
    Check.that(consumer.searchOffset(mq, System.currentTimeMillis() + 60_000) >= 9, "offset of a time after all");
    long earliest = consumer.getDefaultMQPullConsumerImpl().earliestMsgStoreTime(mq);
    Check.that(Math.abs(earliest - start) < 60_000, "earliest store time " + earliest + ", now " + start);
  }

  private static void block(Context c) throws Exception {
    String topic = c.topic(1);
    MessageQueue mq = c.queues(topic).get(0);
    DefaultMQPullConsumer consumer = c.pull(c.group());
    DefaultMQProducer producer = c.producer();
    var waiting = java.util.concurrent.CompletableFuture.supplyAsync(() -> {
      try {
        return consumer.pullBlockIfNotFound(mq, "*", 0, 32);
      } catch (Exception e) {
        throw new java.util.concurrent.CompletionException(e);
      }
    });
    // Nothing to wait for: the pull is to be still unanswered after a while.
    try {
      throw new AssertionError("answered without a message: " + waiting.get(1500,
          java.util.concurrent.TimeUnit.MILLISECONDS));
    } catch (java.util.concurrent.TimeoutException expected) {
      producer.send(message(topic, "wakes"), mq);
    }
    PullResult r = waiting.get(5, java.util.concurrent.TimeUnit.SECONDS);
    Check.equal(PullStatus.FOUND, r.getPullStatus(), "status");
    Check.equal("wakes", Inbox.text(r.getMsgFoundList().get(0)), "body");
  }

  private static void refused(Context c) throws Exception {
    String topic = c.topic(1);
    DefaultMQPullConsumer consumer = c.pull(c.group());
    Check.equal(Codes.INVALID_PARAMETER,
        Check.refusedWith(() -> consumer.pull(new MessageQueue(topic, c.fleet.brokerName, 7), "*", 0, 1)),
            "a queue that is not there");
    Check.equal(Codes.TOPIC_NOT_EXIST,
        Check.refusedWith(() -> consumer.pull(new MessageQueue(c.unique("none"), c.fleet.brokerName, 0), "*", 0, 1)),
            "an unknown topic");
    String hidden = c.unique("T");
    c.admin().createAndUpdateTopicConfig(c.broker(), new org.apache.rocketmq.common.TopicConfig(hidden, 1, 1, 2));
    c.awaitRoute(hidden, 1);
    Check.equal(Codes.NO_PERMISSION,
        Check.refusedWith(() -> consumer.pull(new MessageQueue(hidden, c.fleet.brokerName, 0), "*", 0, 1)),
            "a topic not to be read");
  }

  private PullScenarios() {}
}

package interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** What a scenario works with: fresh names, started clients with short timers, and their end when the scenario ends. */
final class Context implements AutoCloseable {
  private static final AtomicInteger counter = new AtomicInteger();
  private static final String RUN = Long.toString(System.currentTimeMillis() % 100_000_000L, 36);

  final String namesrv;
  final Fleet fleet;
  private final String scenario;
  private final Deque<Runnable> closers = new ArrayDeque<>();

  Context(Fleet fleet, String scenario) {
    this.namesrv = fleet.namesrv;
    this.fleet = fleet;
    this.scenario = scenario;
  }

  DefaultMQAdminExt admin() {
    return fleet.admin;
  }

  String broker() {
    return fleet.brokerAddr;
  }

  /** A name no other scenario or run uses. */
  String unique(String kind) {
    return kind + "-" + scenario + "-" + RUN + "-" + counter.incrementAndGet();
  }

  String group() {
    return unique("G");
  }

  /** Creates a topic on the broker and returns once the NameServer knows its route. */
  String topic(int queues) throws Exception {
    String topic = unique("T");
    admin().createAndUpdateTopicConfig(broker(), new TopicConfig(topic, queues, queues, 6));
    awaitRoute(topic, queues);
    return topic;
  }

  void awaitRoute(String topic, int queues) throws Exception {
    Check.eventually(15, () -> queuesOf(topic) == queues, () -> "a route of " + topic + " with " + queues + " queues");
  }

  int queuesOf(String topic) throws Exception {
    return admin().examineTopicRouteInfo(topic).getQueueDatas().get(0).getWriteQueueNums();
  }

  List<MessageQueue> queues(String topic) throws Exception {
    DefaultMQProducer asker = fleet.asker;
    return new ArrayList<>(new TreeSet<>(asker.fetchPublishMessageQueues(topic)));
  }

  /** Waits until a topic has exactly so many messages; the offset of a queue may follow the acknowledgement by a moment. */
  void awaitMessages(String topic, long count) throws Exception {
    Check.eventually(10, () -> messagesIn(topic) >= count, () -> count + " messages stored, seen " + messagesIn(topic));
    Check.equal(count, messagesIn(topic), "messages stored");
  }

  /** Sum over the queues of max offset: the number of messages in a topic from which nothing was deleted. */
  private long messagesIn(String topic) throws Exception {
    long sum = 0;
    for (MessageQueue mq : queues(topic)) sum += admin().maxOffset(mq);
    return sum;
  }

  /** Waits until the broker has the group's offsets of a topic, summing up to so many messages. */
  void awaitConsumed(String group, String topic, long count) throws Exception {
    Check.eventually(15, () -> consumed(group, topic) == count, () -> count + " messages committed by " + group
        + ", seen " + consumed(group, topic));
  }

  private long consumed(String group, String topic) throws Exception {
    long sum = 0;
    for (var e : admin().examineConsumeStats(group, topic).getOffsetTable().entrySet()) {
      if (e.getKey().getTopic().equals(topic)) sum += e.getValue().getConsumerOffset();
    }
    return sum;
  }

  /** Timers of a second, so that what a client learns by asking again is learned within the scenario's time. */
  <T extends ClientConfig> T quick(T client) {
    client.setNamesrvAddr(namesrv);
    client.setPollNameServerInterval(1000);
    client.setHeartbeatBrokerInterval(1000);
    client.setPersistConsumerOffsetInterval(1000);
    return client;
  }

  DefaultMQProducer producer() throws Exception {
    return start(new DefaultMQProducer(group()));
  }

  <T extends DefaultMQProducer> T start(T producer) throws Exception {
    quick(producer).start();
    closers.push(producer::shutdown);
    return producer;
  }

  /** A push consumer that reads from the first message on; configured, not started. */
  DefaultMQPushConsumer consumer(String group, Wire wire) {
    DefaultMQPushConsumer consumer =
        quick(wire == null ? new DefaultMQPushConsumer(group) : new DefaultMQPushConsumer(group, wire,
            new AllocateMessageQueueAveragely()));
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    closers.push(consumer::shutdown);
    return consumer;
  }

  DefaultMQPushConsumer push(String group, String topic, String tags,
      MessageListenerConcurrently listener) throws Exception {
    return push(consumer(group, null), topic, tags, listener);
  }

  DefaultMQPushConsumer push(DefaultMQPushConsumer consumer, String topic, String tags,
      MessageListenerConcurrently listener)
      throws Exception {
    consumer.subscribe(topic, tags);
    consumer.registerMessageListener(listener);
    consumer.start();
    return consumer;
  }

  DefaultLitePullConsumer litePull(String group, Wire wire) {
    DefaultLitePullConsumer consumer = quick(wire == null ? new DefaultLitePullConsumer(group) : new DefaultLitePullConsumer(group, wire));
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.setAutoCommitIntervalMillis(1000);
    closers.push(consumer::shutdown);
    return consumer;
  }

  @SuppressWarnings("deprecation")
  DefaultMQPullConsumer pull(String group) throws Exception {
    DefaultMQPullConsumer consumer = quick(new DefaultMQPullConsumer(group));
    consumer.start();
    closers.push(consumer::shutdown);
    return consumer;
  }

  /** Something else that ends with the scenario. */
  void onClose(Runnable closer) {
    closers.push(closer);
  }

  static Message message(String topic, String tags, String body) {
    return new Message(topic, tags, body.getBytes(StandardCharsets.UTF_8));
  }

  static Message message(String topic, String body) {
    return message(topic, null, body);
  }

  @Override
  public void close() {
    while (!closers.isEmpty()) {
      try {
        closers.pop().run();
      } catch (RuntimeException e) {
        System.err.println(scenario + ": closing: " + e);
      }
    }
  }
}

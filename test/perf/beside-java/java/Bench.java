import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.ToLongFunction;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/** What the loads share. A load prints BEGIN, END (the broker's CPU time is read in between) and its figures in a line. */
final class Bench {
  static final String NAMESRV = System.getProperty("bench.namesrv");
  static final String TOPIC = System.getProperty("bench.topic");
  private static final String GROUP = System.getProperty("bench.group", TOPIC);

  /** Calls of listeners: each has what one answered pull brought, for that is at most what a listener takes at once. */
  static final LongAdder PULLS = new LongAdder();

  interface Receiver {
    void take(List<MessageExt> messages);
  }

  private Bench() {}

  static int number(String name) {
    return Integer.getInteger("bench." + name);
  }

  static DefaultMQProducer producer() throws Exception {
    var producer = new DefaultMQProducer("bench_producer");
    producer.setNamesrvAddr(NAMESRV);
    producer.setRetryTimesWhenSendFailed(10);
    producer.start();
    return producer;
  }

  /**
   * Push consumers of one group, which the load and `group` name, with a connection each, and few threads: there are
   * few cores.
   */
  static DefaultMQPushConsumer[] consumers(int count, String group, MessageSelector selector, Receiver receiver)
      throws Exception {
    var consumers = new DefaultMQPushConsumer[count];
    for (int i = 0; i < count; i++) {
      var consumer = consumers[i] = new DefaultMQPushConsumer("bench_group_" + GROUP + group);
      consumer.setNamesrvAddr(NAMESRV);
      consumer.setInstanceName("consumer-" + i);
      consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
      consumer.setConsumeThreadMin(2);
      consumer.setConsumeThreadMax(2);
      consumer.setConsumeMessageBatchMaxSize(32);
      consumer.subscribe(TOPIC, selector);
      consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
        PULLS.increment();
        receiver.take(messages);
        return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
      });
      consumer.start();
    }
    return consumers;
  }

  static void stop(DefaultMQPushConsumer[] consumers) {
    for (var consumer : consumers) consumer.shutdown();
  }

  static void await(String what, int seconds, BooleanSupplier condition) throws Exception {
    long deadline = System.nanoTime() + seconds * 1_000_000_000L;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) throw new IllegalStateException(what + " not after " + seconds + " s");
      Thread.sleep(1);
    }
  }

  static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  /** Times in any unit, added from many threads; each has an array of its own, so that none waits for another. */
  static final class Times {
    private static final class Part {
      private long[] values = new long[1 << 16];
      private volatile int count;
    }

    private final List<Part> parts = new ArrayList<>();
    private final ThreadLocal<Part> mine = ThreadLocal.withInitial(this::newPart);

    private synchronized Part newPart() {
      var part = new Part();
      parts.add(part);
      return part;
    }

    void add(long value) {
      var part = mine.get();
      int count = part.count;
      if (count == part.values.length) part.values = Arrays.copyOf(part.values, 2 * count);
      part.values[count] = value;
      part.count = count + 1;
    }

    synchronized int count() {
      return parts.stream().mapToInt(part -> part.count).sum();
    }

    /** `"name_p50":…,"name_p99":…,"name_max":…`, divided by `unit`. */
    synchronized String json(String name, double unit) {
      var values = parts.stream().flatMapToLong(part -> Arrays.stream(part.values, 0, part.count)).sorted().toArray();
      ToLongFunction<Double> at =
          share -> values.length == 0 ? 0 : values[Math.min(values.length - 1, (int) (share * values.length))];
      return String.format(java.util.Locale.ROOT, "\"%s_p50\":%.3f,\"%s_p99\":%.3f,\"%s_max\":%.3f", name,
          at.applyAsLong(0.5) / unit, name, at.applyAsLong(0.99) / unit, name, at.applyAsLong(1.0) / unit);
    }
  }
}

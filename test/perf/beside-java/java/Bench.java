import java.util.Arrays;
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

  interface Receiver {
    void take(MessageExt message);
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

  /** Push consumers of one group with a connection each, and few threads: there are few cores. */
  static DefaultMQPushConsumer[] consumers(int count, MessageSelector selector, Receiver receiver) throws Exception {
    var consumers = new DefaultMQPushConsumer[count];
    for (int i = 0; i < count; i++) {
      var consumer = consumers[i] = new DefaultMQPushConsumer("bench_group_" + TOPIC);
      consumer.setNamesrvAddr(NAMESRV);
      consumer.setInstanceName("consumer-" + i);
      consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
      consumer.setConsumeThreadMin(2);
      consumer.setConsumeThreadMax(2);
      consumer.setConsumeMessageBatchMaxSize(32);
      consumer.subscribe(TOPIC, selector);
      consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
        for (var message : messages) receiver.take(message);
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

  /** Times in any unit, added from many threads. */
  static final class Times {
    private long[] values = new long[1 << 20];
    private int count;

    synchronized void add(long value) {
      if (count == values.length) values = Arrays.copyOf(values, 2 * count);
      values[count++] = value;
    }

    synchronized int count() {
      return count;
    }

    synchronized void clear() {
      count = 0;
    }

    /** `"name_p50":…,"name_p99":…,"name_max":…`, divided by `unit`. */
    synchronized String json(String name, double unit) {
      Arrays.sort(values, 0, count);
      ToLongFunction<Double> at = share -> count == 0 ? 0 : values[Math.min(count - 1, (int) (share * count))];
      return String.format(java.util.Locale.ROOT, "\"%s_p50\":%.3f,\"%s_p99\":%.3f,\"%s_max\":%.3f", name,
          at.applyAsLong(0.5) / unit, name, at.applyAsLong(0.99) / unit, name, at.applyAsLong(1.0) / unit);
    }
  }
}

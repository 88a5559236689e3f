import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.common.message.Message;

/**
 * A push consumer whose SQL expression takes one stored message of a hundred: the time from its first message to its
 * last. Other groups read all of it before, so that both JIT compilers have seen what is measured.
 */
public final class Filter {
  private static final int BATCH = 500;
  private static final int PASSES_BEFORE = 3;
  private static final String[] REGIONS = {"eu", "us", "ap", "af"};
  private static final String EXPRESSION = "region = 'eu' AND amount >= 960 AND vip IS NOT NULL";

  public static void main(String[] args) throws Exception {
    int messages = Bench.number("messages");
    if (Boolean.getBoolean("bench.store")) store(messages);
    for (int i = 0; i < PASSES_BEFORE; i++) read(messages, "_before_" + i, () -> {});
    Bench.PULLS.reset();
    double seconds = read(messages, "", () -> Bench.say("BEGIN"));
    Bench.say("END");
    int matched = messages / 100;
    Bench.say(String.format("{\"messages\":%d,\"rate\":%.0f,\"seconds\":%.3f,\"matched\":%d,\"per_pull\":%.1f}",
        messages, messages / seconds, seconds, matched, (double) matched / Bench.PULLS.sum()));
    System.exit(0);
  }

  /** Seconds from the first to the last message that a new group gets; `begin` runs when the first has come. */
  private static double read(int messages, String group, Runnable begin) throws Exception {
    var first = new AtomicLong();
    var last = new AtomicLong();
    var received = new AtomicInteger();
    var consumers = Bench.consumers(1, group, MessageSelector.bySql(EXPRESSION), matched -> {
      if (first.compareAndSet(0, System.nanoTime())) begin.run();
      last.set(System.nanoTime());
      received.addAndGet(matched.size());
    });
    Bench.await("the matching messages", 120, () -> received.get() >= messages / 100);
    if (received.get() > messages / 100) throw new IllegalStateException(received.get() + " messages matched");
    Bench.stop(consumers);
    return (last.get() - first.get()) / 1e9;
  }

  private static void store(int messages) throws Exception {
    var producer = Bench.producer();
    var queues = producer.fetchPublishMessageQueues(Bench.TOPIC);
    for (int i = 0; i < messages;) {
      var batch = new ArrayList<Message>(BATCH);
      for (int m = 0; m < BATCH; m++, i++) batch.add(message(i));
      producer.send(batch, queues.get(i / BATCH % queues.size()));
    }
    producer.shutdown();
  }

  private static Message message(int i) {
    var message = new Message(Bench.TOPIC, "order", "key" + i, new byte[100]);
    message.putUserProperty("region", REGIONS[i % 4]);
    message.putUserProperty("amount", String.valueOf(i / 4 * 7919L % 1000));
    message.putUserProperty("vip", "true");
    message.putUserProperty("customer", "customer-" + i % 977);
    message.putUserProperty("source", "web");
    return message;
  }
}

import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.common.message.Message;

/** A push consumer whose SQL expression takes one stored message of a hundred: the time from its first message to its last. */
public final class Filter {
  private static final int BATCH = 500;
  private static final String[] REGIONS = {"eu", "us", "ap", "af"};

  public static void main(String[] args) throws Exception {
    int messages = Bench.number("messages");
    store(messages);
    var first = new AtomicLong();
    var last = new AtomicLong();
    var received = new AtomicInteger();
    var expression = "region = 'eu' AND amount >= 960 AND vip IS NOT NULL";
    Bench.say("BEGIN");
    var consumers = Bench.consumers(1, MessageSelector.bySql(expression), message -> {
      first.compareAndSet(0, System.nanoTime());
      last.set(System.nanoTime());
      received.incrementAndGet();
    });
    Bench.await("the matching messages", 120, () -> received.get() >= messages / 100);
    Bench.say("END");
    double seconds = (last.get() - first.get()) / 1e9;
    Bench.say(String.format("{\"messages\":%d,\"rate\":%.0f,\"seconds\":%.3f,\"matched\":%d}", messages,
        messages / seconds, seconds, received.get()));
    Bench.stop(consumers);
    System.exit(0);
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

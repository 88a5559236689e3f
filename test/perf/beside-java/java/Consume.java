import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Push consumers that wait in long polls while a producer sends; bodies begin with the time of birth. `rate` = 0: as
 * fast as they consume, with at most 20 000 messages on their way; else so many single messages a second.
 */
public final class Consume {
  private static final int ON_THEIR_WAY = 20_000;
  private static final int BATCH = 64;
  private static final int BODY = 128;

  private final AtomicLong sent = new AtomicLong();
  private final AtomicLong received = new AtomicLong();
  private final AtomicInteger failed = new AtomicInteger();
  private final Bench.Times times = new Bench.Times();
  private volatile boolean isCounting;
  private volatile boolean isStopped;
  private List<MessageQueue> queues;

  public static void main(String[] args) throws Exception {
    new Consume().run(Bench.number("rate"), Bench.number("seconds"));
    System.exit(0);
  }

  private void run(int rate, int seconds) throws Exception {
    var producer = Bench.producer();
    queues = producer.fetchPublishMessageQueues(Bench.TOPIC);
    var consumers = Bench.consumers(Bench.number("consumers"), MessageSelector.byTag("*"), message -> {
      received.incrementAndGet();
      if (isCounting) times.add(System.nanoTime() - ByteBuffer.wrap(message.getBody()).getLong());
    });
    awaitQueues(producer);
    var sender = new Thread(() -> {
      try {
        if (rate == 0) sendBatches(producer);
        else sendPaced(producer, rate);
      } catch (Exception error) {
        error.printStackTrace();
        failed.incrementAndGet();
      }
    });
    sender.start();
    Thread.sleep(5000); // until the JVM has compiled what is hot
    long before = received.get();
    long began = System.nanoTime();
    isCounting = true;
    Bench.say("BEGIN");
    Thread.sleep(seconds * 1000L);
    Bench.say("END");
    isCounting = false;
    long count = received.get() - before;
    double elapsed = (System.nanoTime() - began) / 1e9;
    isStopped = true;
    sender.join();
    Bench.await("all sent messages", 30, () -> received.get() >= sent.get());
    Bench.say(String.format("{\"messages\":%d,\"rate\":%.0f,%s,\"failed\":%d}", count, count / elapsed,
        times.json("ms", 1e6), failed.get()));
    Bench.stop(consumers);
    producer.shutdown();
  }

  /** Consumers share the queues out among themselves, again whenever one has joined: wait until all queues answer. */
  private void awaitQueues(DefaultMQProducer producer) throws Exception {
    for (int round = 0; round < 3; round++) {
      for (var queue : queues) producer.send(new Message(Bench.TOPIC, body()), queue);
      sent.addAndGet(queues.size());
      Bench.await("messages of every queue", 60, () -> received.get() >= sent.get());
      Thread.sleep(1000);
    }
  }

  private void sendBatches(DefaultMQProducer producer) throws Exception {
    for (int i = 0; !isStopped; i++) {
      while (sent.get() - received.get() > ON_THEIR_WAY && !isStopped) Thread.sleep(1);
      var batch = new ArrayList<Message>(BATCH);
      for (int m = 0; m < BATCH; m++) batch.add(new Message(Bench.TOPIC, body()));
      producer.send(batch, queues.get(i % queues.size()));
      sent.addAndGet(BATCH);
    }
  }

  private void sendPaced(DefaultMQProducer producer, int rate) throws Exception {
    var callback = new SendCallback() {
      @Override
      public void onSuccess(SendResult result) {}

      @Override
      public void onException(Throwable error) {
        failed.incrementAndGet();
        sent.decrementAndGet();
      }
    };
    long began = System.nanoTime();
    for (long i = 0; !isStopped; i++) {
      while ((System.nanoTime() - began) * rate < i * 1_000_000_000L && !isStopped) Thread.sleep(0, 200_000);
      sent.incrementAndGet();
      producer.send(new Message(Bench.TOPIC, body()), queues.get((int) (i % queues.size())), callback);
    }
  }

  private static byte[] body() {
    return ByteBuffer.allocate(BODY).putLong(System.nanoTime()).array();
  }
}

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
 * Push consumers that wait in long polls while a producer sends; bodies begin with the time of birth. `rate` = 0: four
 * threads send batches, each waits for its answer before the next, and while 20 000 messages are on their way none is
 * sent; else so many single messages a second.
 */
public final class Consume {
  private static final int ON_THEIR_WAY = 20_000;
  private static final int BATCH = 64;
  private static final int BODY = 128;
  private static final int SENDERS = 4;
  /** Until the JVMs have compiled what is hot. */
  private static final int WARM_UP_MS = 8000;

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
    var consumers = Bench.consumers(Bench.number("consumers"), "", MessageSelector.byTag("*"), messages -> {
      received.addAndGet(messages.size());
      if (!isCounting) return;
      long now = System.nanoTime();
      for (var message : messages) times.add(now - ByteBuffer.wrap(message.getBody()).getLong());
    });
    awaitQueues(producer);
    var senders = new ArrayList<Thread>();
    for (int i = 0; i < (rate == 0 ? SENDERS : 1); i++) senders.add(startSender(producer, rate, i));
    Thread.sleep(WARM_UP_MS);
    long before = received.get();
    long pullsBefore = Bench.PULLS.sum();
    long began = System.nanoTime();
    isCounting = true;
    Bench.say("BEGIN");
    Thread.sleep(seconds * 1000L);
    Bench.say("END");
    isCounting = false;
    long count = received.get() - before;
    double perPull = (double) count / (Bench.PULLS.sum() - pullsBefore);
    double elapsed = (System.nanoTime() - began) / 1e9;
    isStopped = true;
    for (var sender : senders) sender.join();
    Bench.await("all sent messages", 30, () -> received.get() >= sent.get());
    Bench.say(String.format("{\"messages\":%d,\"rate\":%.0f,%s,\"per_pull\":%.1f,\"failed\":%d}", count,
        count / elapsed, times.json("ms", 1e6), perPull, failed.get()));
    Bench.stop(consumers);
    producer.shutdown();
  }

  private Thread startSender(DefaultMQProducer producer, int rate, int number) {
    var sender = new Thread(() -> {
      try {
        if (rate == 0) sendBatches(producer, number);
        else sendPaced(producer, rate);
      } catch (Exception error) {
        error.printStackTrace();
        failed.incrementAndGet();
      }
    });
    sender.start();
    return sender;
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

  private void sendBatches(DefaultMQProducer producer, int number) throws Exception {
    for (int i = number; !isStopped; i += SENDERS) {
      while (sent.get() - received.get() > ON_THEIR_WAY && !isStopped) Thread.sleep(1);
      var batch = new ArrayList<Message>(BATCH);
      byte[] body = body();
      for (int m = 0; m < BATCH; m++) batch.add(new Message(Bench.TOPIC, body));
      sent.addAndGet(BATCH);
      producer.send(batch, queues.get(i % queues.size()));
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

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.MessageSelector;

/**
 * Receives `messages` whose bodies begin with the time, in 16 digits of microseconds, at which they are due. Late is how
 * much later they were stored in their topic (`stored`) and came here (`late`).
 */
public final class Receive {
  public static void main(String[] args) throws Exception {
    int messages = Bench.number("messages");
    var stored = new Bench.Times();
    var late = new Bench.Times();
    var firstStored = new AtomicLong(Long.MAX_VALUE);
    var lastStored = new AtomicLong();
    var early = new AtomicLong();
    var consumers = Bench.consumers(Bench.number("consumers"), MessageSelector.byTag("*"), message -> {
      long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
      long due = Long.parseLong(new String(message.getBody(), 0, 16, StandardCharsets.US_ASCII));
      long storedAt = message.getStoreTimestamp();
      firstStored.accumulateAndGet(storedAt, Math::min);
      lastStored.accumulateAndGet(storedAt, Math::max);
      if (storedAt < due / 1000) early.incrementAndGet();
      stored.add(storedAt * 1000 - due);
      late.add(now - due);
    });
    Bench.say("READY");
    Bench.await("the due messages", Bench.number("seconds"), () -> late.count() >= messages);
    Bench.say("END");
    double seconds = Math.max(1, lastStored.get() - firstStored.get()) / 1e3;
    Bench.say(String.format("{\"messages\":%d,\"rate\":%.0f,%s,%s,\"early\":%d}", late.count(), messages / seconds,
        stored.json("stored_ms", 1e3), late.json("late_ms", 1e3), early.get()));
    Bench.stop(consumers);
    System.exit(0);
  }
}

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Receives `messages` whose bodies begin with the time, in 16 digits of microseconds, at which they are due. Late is
 * how much later they were stored in their topic (`stored`) and came here (`late`). `warm` messages that are due at 0
 * come first, so that both JIT compilers have seen what is measured.
 */
public final class Receive {
  public static void main(String[] args) throws Exception {
    int count = Bench.number("messages");
    var stored = new Bench.Times();
    var late = new Bench.Times();
    var firstStored = new AtomicLong(Long.MAX_VALUE);
    var lastStored = new AtomicLong();
    var early = new AtomicLong();
    var warm = new AtomicLong();
    var consumers = Bench.consumers(Bench.number("consumers"), "", MessageSelector.byTag("*"), messages -> {
      long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
      long first = Long.MAX_VALUE;
      long last = 0;
      var dues = messages.stream().mapToLong(Receive::dueUs).filter(due -> due > 0).toArray();
      warm.addAndGet(messages.size() - dues.length);
      for (var message : messages) {
        long due = dueUs(message);
        if (due == 0) continue;
        long storedAt = message.getStoreTimestamp();
        first = Math.min(first, storedAt);
        last = Math.max(last, storedAt);
        if (storedAt < due / 1000) early.incrementAndGet();
        stored.add(storedAt * 1000 - due);
      }
      firstStored.accumulateAndGet(first, Math::min);
      lastStored.accumulateAndGet(last, Math::max);
      // what has been counted here ends the load
      for (long due : dues) late.add(now - due);
    });
    Bench.say("READY");
    Bench.await("the first messages", 60, () -> warm.get() >= Bench.number("warm"));
    Bench.PULLS.reset();
    Bench.say("WARM");
    Bench.await("the due messages", Bench.number("seconds"), () -> late.count() >= count);
    Bench.say("END");
    double seconds = Math.max(1, lastStored.get() - firstStored.get()) / 1e3;
    double perPull = (double) late.count() / Bench.PULLS.sum();
    Bench.say(String.format("{\"messages\":%d,\"rate\":%.0f,%s,%s,\"early\":%d,\"per_pull\":%.1f}", late.count(),
        count / seconds, stored.json("stored_ms", 1e3), late.json("late_ms", 1e3), early.get(), perPull));
    Bench.stop(consumers);
    System.exit(0);
  }

  private static long dueUs(MessageExt message) {
    return Long.parseLong(new String(message.getBody(), 0, 16, StandardCharsets.US_ASCII));
  }
}

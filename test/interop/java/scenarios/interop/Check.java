package interop;

import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;

/** Assertions that name what was seen, and waiting for a condition with a deadline. */
final class Check {
  static void that(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }

  static void equal(Object expected, Object seen, String what) {
    if (!Objects.equals(expected, seen)) throw new AssertionError(what + ": expected " + expected + ", got " + seen);
  }

  static void eventually(int seconds, Callable<Boolean> condition, Callable<String> what) throws Exception {
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    Exception last = null;
    while (true) {
      try {
        if (condition.call()) return;
        last = null;
      } catch (InterruptedException e) {
        throw e;
      } catch (Exception e) {
        last = e;
      }
      if (System.nanoTime() > end) {
        throw new AssertionError("not within " + seconds + " s: " + what.call() + (last == null ? "" : ", last error "
            + last), last);
      }
      Thread.sleep(20);
    }
  }

  /** Runs what must be refused, and gives the response code of the refusal. */
  static int refusedWith(Callable<?> call) throws Exception {
    Object result;
    try {
      result = call.call();
    } catch (MQBrokerException e) {
      return e.getResponseCode();
    } catch (MQClientException e) {
      return e.getResponseCode();
    }
    throw new AssertionError("not refused: " + result);
  }
}

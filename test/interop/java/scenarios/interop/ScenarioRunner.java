package interop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * {@code ScenarioRunner <namesrvAddr> <scenario or group...>} prints `PLAN name` for each, then one line per scenario,
 * `PASS name`
 * or `FAIL name: reason`, and exits 1 when one failed. {@code ScenarioRunner list} prints `group name` of all.
 */
public final class ScenarioRunner {
  private static final int AT_ONCE = Integer.getInteger("interop.atOnce", 4);

  private final Fleet fleet;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicInteger failed = new AtomicInteger();

  private ScenarioRunner(Fleet fleet) {
    this.fleet = fleet;
  }

  public static void main(String[] args) throws Exception {
    if (args.length == 1 && args[0].equals("list")) {
      for (Scenario s : catalogue()) System.out.println(s.group + " " + s.name);
      return;
    }
    if (args.length < 2) {
      System.err.println("usage: ScenarioRunner <namesrvAddr> <scenario or group...>, or: ScenarioRunner list");
      System.exit(2);
    }
    List<Scenario> chosen = choose(new TreeSet<>(Arrays.asList(args).subList(1, args.length)));
    for (Scenario s : chosen) System.out.println("PLAN " + s.name);
    Fleet fleet = new Fleet(args[0]);
    int failures;
    try {
      fleet.awaitBroker(60);
      failures = new ScenarioRunner(fleet).runAll(chosen);
    } catch (Throwable e) {
      for (Scenario s : chosen) System.out.println("FAIL " + s.name + ": " + reason(e));
      failures = chosen.size();
    }
    System.out.flush();
    // The clients leave threads behind that nobody waits for.
    Runtime.getRuntime().halt(failures == 0 ? 0 : 1);
  }

  static List<Scenario> catalogue() {
    List<Scenario> all = new ArrayList<>();
    all.addAll(SendScenarios.all());
    all.addAll(ConsumeScenarios.all());
    all.addAll(PullScenarios.all());
    all.addAll(QueryScenarios.all());
    all.addAll(RetryScenarios.all());
    all.addAll(DelayScenarios.all());
    all.addAll(TransactionScenarios.all());
    all.addAll(FilterScenarios.all());
    all.addAll(OperationScenarios.all());
    all.addAll(Compat.scenarios());
    return all;
  }

  private static List<Scenario> choose(Set<String> wanted) {
    List<Scenario> chosen = new ArrayList<>();
    Set<String> unknown = new TreeSet<>(wanted);
    for (Scenario s : catalogue()) {
      unknown.remove(s.name);
      unknown.remove(s.group);
      if (wanted.contains(s.name) || wanted.contains(s.group)) chosen.add(s);
    }
    if (!unknown.isEmpty()) {
      System.err.println("no such scenario or group: " + unknown);
      System.exit(2);
    }
    return chosen;
  }

  private int runAll(List<Scenario> chosen) throws Exception {
    ExecutorService lanes = Executors.newFixedThreadPool(AT_ONCE);
    for (Scenario s : chosen) if (!s.alone) lanes.execute(() -> run(s));
    lanes.shutdown();
    lanes.awaitTermination(1, TimeUnit.HOURS);
    for (Scenario s : chosen) if (s.alone) run(s);
    return failed.get();
  }

  private void run(Scenario s) {
    long start = System.nanoTime();
    Context context = new Context(fleet, s.name);
    Thread[] runner = new Thread[1];
    Future<?> done = threads.submit(() -> {
      runner[0] = Thread.currentThread();
      s.body.run(context);
      return null;
    });
    String failure = null;
    try {
      done.get(s.seconds, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      failure = "not done in " + s.seconds + " s, at "
          + (runner[0] == null ? "the start" : Arrays.toString(runner[0].getStackTrace()));
      done.cancel(true);
    } catch (ExecutionException e) {
      failure = reason(e.getCause());
    } catch (InterruptedException e) {
      failure = "interrupted";
    }
    Future<?> closed = threads.submit(context::close);
    try {
      closed.get(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      if (failure == null) failure = "clients did not shut down in 20 s";
    }
    if (failure != null) failed.incrementAndGet();
    synchronized (System.out) {
      System.out.println(failure == null ? "PASS " + s.name : "FAIL " + s.name + ": " + failure);
      System.out.flush();
    }
    System.err.println(s.name + " took " + (System.nanoTime() - start) / 1_000_000 + " ms");
  }

  /** One line, with the place in the scenario where it went wrong. */
  private static String reason(Throwable e) {
    StringBuilder text = new StringBuilder(e instanceof AssertionError ? String.valueOf(e.getMessage()) : e.toString());
    for (StackTraceElement frame : e.getStackTrace()) {
      if (frame.getClassName().endsWith("Scenarios")) {
        text.append(" (").append(frame.getFileName()).append(':').append(frame.getLineNumber()).append(')');
        break;
      }
    }
    String line = text.toString().replaceAll("\\s+", " ");
    return line.length() > 600 ? line.substring(0, 600) + "..." : line;
  }
}

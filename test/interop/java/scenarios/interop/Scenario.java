package interop;

/** One thing proven: a name, the group it belongs to, the seconds it may take,
    and whether it needs the machine for itself. */
final class Scenario {
  /** What a scenario does; it fails by throwing. */
  interface Body {
    void run(Context c) throws Exception;
  }

  /** Plain sending and consuming. */
  static final String CORE = "core";
  /** Retry, delay, transactions, filters, request-reply, trace, rewind. */
  static final String ADVANCED = "advanced";
  /** Server-side assignment with POP. */
  static final String POP = "pop";

  final String group;
  final String name;
  final int seconds;
  final boolean alone;
  final Body body;

  private Scenario(String group, String name, int seconds, boolean alone, Body body) {
    this.group = group;
    this.name = name;
    this.seconds = seconds;
    this.alone = alone;
    this.body = body;
  }

  static Scenario of(String group, String name, Body body) {
    return new Scenario(group, name, 40, false, body);
  }

  static Scenario slow(String group, String name, int seconds, Body body) {
    return new Scenario(group, name, seconds, false, body);
  }

  /** For what measures time: nothing else runs meanwhile. */
  static Scenario alone(String group, String name, Body body) {
    return new Scenario(group, name, 40, true, body);
  }
}

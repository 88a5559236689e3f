package interop;

import static interop.Context.message;

import java.util.List;
import org.apache.rocketmq.common.message.Message;

/** Delay levels. */
final class DelayScenarios {
  static List<Scenario> all() {
    return List.of(Scenario.of(Scenario.ADVANCED, "delay-level", DelayScenarios::levels));
  }

  private static void levels(Context c) throws Exception {
    String topic = c.topic(2);
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    var producer = c.producer();
    producer.send(message(topic, "0"));
    inbox.await(15, 1);
    long[] due = new long[3];
    int[] levels = {3, 2, 1};
    long[] seconds = {10, 5, 1};
    for (int i = 0; i < levels.length; i++) {
      Message m = message(topic, "tag", String.valueOf(levels[i]));
      m.setDelayTimeLevel(levels[i]);
      due[i] = System.currentTimeMillis() + seconds[i] * 1000;
      producer.send(m);
    }
    inbox.await(20, 4);
    Check.equal(List.of("0", "1", "2", "3"), inbox.bodies(), "order of arrival");
    for (int i = 1; i <= 3; i++) {
      long late = inbox.arrival(i) - due[3 - i];
      Check.that(late >= 0 && late < 3000, "level " + i + " came " + late + " ms after its time");
      Check.equal(topic, inbox.get(i).getTopic(), "topic");
      Check.equal("tag", inbox.get(i).getTags(), "tag");
    }
  }

  private DelayScenarios() {}
}

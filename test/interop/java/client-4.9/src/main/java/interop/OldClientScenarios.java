package interop;

import static interop.Context.message;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.rocketmq.client.exception.RequestTimeoutException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** What only the 4.9 client shows: its synchronous request waits for the reply (that of 5.3.3 gives up when the request is stored). */
final class OldClientScenarios {
  static List<Scenario> all() {
    return List.of(
        Scenario.of(Scenario.ADVANCED, "request-reply-sync", OldClientScenarios::requestReply),
        Scenario.of(Scenario.ADVANCED, "request-without-reply", OldClientScenarios::noReply));
  }

  private static void requestReply(Context c) throws Exception {
    String topic = c.topic(1);
    OperationScenarios.replier(c, topic);
    DefaultMQProducer producer = c.producer();
    for (String question : List.of("one", "two")) {
      var reply = producer.request(message(topic, question), 15_000);
      Check.equal(question.toUpperCase(), new String(reply.getBody(), StandardCharsets.UTF_8), "reply");
    }
  }

  private static void noReply(Context c) throws Exception {
    String topic = c.topic(1);
    try {
      throw new AssertionError("a reply from nobody: " + c.producer().request(message(topic, "anyone?"), 2000));
    } catch (RequestTimeoutException expected) {
      c.awaitMessages(topic, 1);
    }
  }

  private OldClientScenarios() {}
}

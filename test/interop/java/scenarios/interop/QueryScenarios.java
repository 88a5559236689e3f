package interop;

import static interop.Context.message;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Finding messages, and what the administration calls of the client library see. */
final class QueryScenarios {
  static List<Scenario> all() {
    return List.of(
        Scenario.of(Scenario.CORE, "query-message-by-key", QueryScenarios::byKey),
        Scenario.of(Scenario.CORE, "view-message-by-id", QueryScenarios::byId),
        Scenario.of(Scenario.CORE, "admin-topic-lifecycle", QueryScenarios::topicLifecycle),
        Scenario.of(Scenario.CORE, "admin-consumer-connection", QueryScenarios::connection));
  }

  private static void byKey(Context c) throws Exception {
    String topic = c.topic(4);
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 10; i++) {
      Message m = message(topic, "k" + i);
      m.setKeys(List.of("own" + i, i % 2 == 0 ? "even" : "odd"));
      producer.send(m);
    }
    Check.eventually(15, () -> found(c, topic, "even").size() == 5, () -> "5 messages by a shared key, seen "
        + found(c, topic, "even"));
    Check.equal(Set.of("k3"), found(c, topic, "own3"), "by its own key");
    try {
      throw new AssertionError("found by an unknown key: " + found(c, topic, "nobody"));
    } catch (org.apache.rocketmq.client.exception.MQClientException e) {
      Check.that(e.getResponseCode() == 208 || e.getResponseCode() == Codes.QUERY_NOT_FOUND,
          "code for an unknown key: " + e);
    }
  }

  private static Set<String> found(Context c, String topic, String key) throws Exception {
    Set<String> bodies = new TreeSet<>();
    for (MessageExt m : c.admin().queryMessage(topic, key, 32, 0,
        Long.MAX_VALUE).getMessageList()) bodies.add(Inbox.text(m));
    return bodies;
  }

  private static void byId(Context c) throws Exception {
    String topic = c.topic(2);
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 3; i++) producer.send(message(topic, "other" + i));
    SendResult sent = producer.send(message(topic, "tag", "wanted"));
    MessageExt byOffset = producer.viewMessage(topic, sent.getOffsetMsgId());
    Check.equal("wanted", Inbox.text(byOffset), "body by offset id");
    Check.equal(sent.getQueueOffset(), byOffset.getQueueOffset(), "queue offset");
    Check.equal("tag", byOffset.getTags(), "tag");
    Check.eventually(15, () -> Inbox.text(producer.viewMessage(topic, sent.getMsgId())).equals("wanted"), () ->
        "the message by its unique id");
    String beyond = sent.getOffsetMsgId().substring(0, sent.getOffsetMsgId().length() - 16) + "0000000FFFFFFFF0";
    try {
      throw new AssertionError("found beyond the end of the log: " + c.admin().viewMessage(topic, beyond));
    } catch (MQBrokerException | org.apache.rocketmq.client.exception.MQClientException e) {
      // Either is how a client tells that there is none.
    }
  }

  private static void topicLifecycle(Context c) throws Exception {
    String topic = c.topic(3);
    Check.that(c.admin().fetchAllTopicList().getTopicList().contains(topic), "the topic is not listed");
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 6; i++) producer.send(message(topic, "m" + i));
    Check.eventually(10, () -> storedByStats(c, topic) == 6, () -> "6 messages in the topic's statistics, seen "
        + storedByStats(c, topic));
    c.admin().createAndUpdateTopicConfig(c.broker(), new TopicConfig(topic, 8, 6, 6));
    c.awaitRoute(topic, 6);
    Check.equal(8, c.admin().examineTopicRouteInfo(topic).getQueueDatas().get(0).getReadQueueNums(), "read queues");
    c.admin().deleteTopicInBroker(Set.of(c.broker()), topic);
    Compat.deleteFromNamesrv(c.admin(), Set.of(c.namesrv), c.fleet.cluster, topic);
    Check.eventually(10, () -> !c.admin().fetchAllTopicList().getTopicList().contains(topic), () ->
        "the topic to be gone");
    Check.equal(Codes.TOPIC_NOT_EXIST, Check.refusedWith(() -> c.admin().examineTopicRouteInfo(topic)),
        "the route of a deleted topic");
  }

  private static long storedByStats(Context c, String topic) throws Exception {
    long stored = 0;
    for (var e : c.admin().examineTopicStats(topic).getOffsetTable().entrySet()) {
      stored += e.getValue().getMaxOffset() - e.getValue().getMinOffset();
    }
    return stored;
  }

  private static void connection(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    Check.equal(Codes.CONSUMER_NOT_ONLINE, offline(c, group), "a group nobody is online in");
    var consumer = c.push(group, topic, "A || B", new Inbox());
    Check.eventually(10, () -> c.admin().examineConsumerConnectionInfo(group).getConnectionSet().size() == 1, () ->
        "one connection");
    var info = c.admin().examineConsumerConnectionInfo(group);
    var connection = info.getConnectionSet().iterator().next();
    Check.equal(consumer.buildMQClientId(), connection.getClientId(), "client id");
    Check.equal("JAVA", connection.getLanguage().toString(), "language");
    Check.equal("CLUSTERING", info.getMessageModel().toString(), "message model");
    Check.equal("CONSUME_PASSIVELY", info.getConsumeType().toString(), "consume type");
    Check.equal("A || B", info.getSubscriptionTable().get(topic).getSubString(), "subscription");
    Check.that(info.getSubscriptionTable().containsKey("%RETRY%" + group), "no subscription of the retry topic");
    String producerGroup = c.group();
    DefaultMQProducer producer = c.start(new DefaultMQProducer(producerGroup));
    producer.send(message(topic, "A", "hello"));
    Check.eventually(10, () -> c.admin().examineProducerConnectionInfo(producerGroup,
        topic).getConnectionSet().size() == 1,
        () -> "one producer connection");
    consumer.shutdown();
    Check.eventually(10, () -> offline(c, group) == Codes.CONSUMER_NOT_ONLINE, () ->
        "the group to be offline after shutdown");
  }

  private static int offline(Context c, String group) throws Exception {
    try {
      c.admin().examineConsumerConnectionInfo(group, c.broker());
      return 0;
    } catch (MQBrokerException e) {
      return e.getResponseCode();
    }
  }

  private QueryScenarios() {}
}

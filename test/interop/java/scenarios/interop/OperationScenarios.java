package interop;

import static interop.Context.message;

import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Request-reply, trace, rewind, and the relays from the administration to a running client. */
final class OperationScenarios {
  static List<Scenario> all() {
    return List.of(
        Scenario.of(Scenario.ADVANCED, "request-reply-callback", OperationScenarios::requestReply),
        Scenario.of(Scenario.ADVANCED, "message-trace", OperationScenarios::trace),
        Scenario.of(Scenario.ADVANCED, "consume-from-timestamp", OperationScenarios::fromTimestamp),
        Scenario.of(Scenario.ADVANCED, "reset-offset-by-time-online", OperationScenarios::resetOnline),
        Scenario.of(Scenario.ADVANCED, "reset-offset-by-time-offline", OperationScenarios::resetOffline),
        Scenario.of(Scenario.ADVANCED, "clone-group-offset", OperationScenarios::cloneOffset),
        Scenario.of(Scenario.ADVANCED, "consume-message-directly", OperationScenarios::directly),
        Scenario.of(Scenario.ADVANCED, "consumer-running-info", OperationScenarios::runningInfo),
        Scenario.of(Scenario.ADVANCED, "consume-status-relay", OperationScenarios::status),
        Scenario.of(Scenario.ADVANCED, "message-track", OperationScenarios::track));
  }

  /** A consumer that answers each request with its body in upper case. */
  static void replier(Context c, String topic) throws Exception {
    DefaultMQProducer answers = c.producer();
    c.push(c.group(), topic, "*", (batch, context) -> {
      for (MessageExt m : batch) {
        try {
          answers.send(MessageUtil.createReplyMessage(m,
              Inbox.text(m).toUpperCase().getBytes(StandardCharsets.UTF_8)), 3000);
        } catch (Exception e) {
          System.err.println("reply: " + e);
        }
      }
      return org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
  }

  private static void requestReply(Context c) throws Exception {
    String topic = c.topic(1);
    replier(c, topic);
    DefaultMQProducer producer = c.producer();
    CompletableFuture<Message> reply = new CompletableFuture<>();
    producer.request(message(topic, "question"), c.queues(topic).get(0), new RequestCallback() {
      @Override
      public void onSuccess(Message m) {
        reply.complete(m);
      }

      @Override
      public void onException(Throwable e) {
        reply.completeExceptionally(e);
      }
    }, 15_000);
    Message m = reply.get(20, TimeUnit.SECONDS);
    Check.that(m != null, "completed without a reply");
    Check.equal("QUESTION", new String(m.getBody(), StandardCharsets.UTF_8), "reply");
  }

  private static void trace(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    DefaultMQProducer producer = c.start(new DefaultMQProducer(group + "-producer", null, true, null));
    SendResult sent = producer.send(message(topic, "tag", "traced"));
    DefaultMQPushConsumer consumer = c.quick(new DefaultMQPushConsumer(group, null,
        new AllocateMessageQueueAveragely(), true, null));
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    c.onClose(consumer::shutdown);
    Inbox inbox = new Inbox();
    c.push(consumer, topic, "*", inbox);
    inbox.await(15, 1);
    StringBuilder records = new StringBuilder();
    Check.eventually(25, () -> {
      records.setLength(0);
      for (MessageExt m : c.admin().queryMessage("RMQ_SYS_TRACE_TOPIC", sent.getMsgId(), 32, 0,
          Long.MAX_VALUE).getMessageList()) {
        records.append(new String(m.getBody(), StandardCharsets.UTF_8));
      }
      return records.indexOf("Pub\u0001") >= 0 && records.indexOf("SubBefore\u0001") >= 0 && records.indexOf("SubAfter\u0001") >= 0;
    }, () -> "trace records of both sides, seen " + records);
    Check.that(records.indexOf(topic) >= 0, "the topic is not in the trace");
  }

  private static void fromTimestamp(Context c) throws Exception {
    String topic = c.topic(1);
    DefaultMQProducer producer = c.producer();
    MessageQueue mq = c.queues(topic).get(0);
    for (int i = 0; i < 5; i++) producer.send(message(topic, "old" + i), mq);
    DefaultMQPushConsumer consumer = c.consumer(c.group(), null);
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_TIMESTAMP);
    consumer.setConsumeTimestamp(new SimpleDateFormat("yyyyMMddHHmmss").format(new Date(System.currentTimeMillis() - 60_000)));
    Inbox inbox = new Inbox();
    c.push(consumer, topic, "*", inbox);
    inbox.await(15, 5);
    Check.equal(SendScenarios.numbered("old", 5), new TreeSet<>(inbox.bodies()), "bodies");
  }

  private static void resetOnline(Context c) throws Exception {
    String topic = c.topic(2);
    String group = c.group();
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 10; i++) producer.send(message(topic, "r" + i));
    Inbox inbox = new Inbox();
    c.push(group, topic, "*", inbox);
    inbox.await(15, 10);
    c.awaitConsumed(group, topic, 10);
    var reset = c.admin().resetOffsetByTimestamp(topic, group, System.currentTimeMillis() - 600_000, true);
    Check.equal(2, reset.size(), "queues reset");
    for (long offset : reset.values()) Check.equal(0L, offset, "offset after the reset");
    inbox.await(35, 20);
    Check.equal(SendScenarios.numbered("r", 10), new TreeSet<>(inbox.bodies().subList(10, 20)), "bodies read again");
  }

  private static void resetOffline(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 10; i++) producer.send(message(topic, "r" + i));
    Inbox inbox = new Inbox();
    DefaultMQPushConsumer first = c.push(group, topic, "*", inbox);
    inbox.await(15, 10);
    first.shutdown();
    c.awaitConsumed(group, topic, 10);
    try {
      c.admin().resetOffsetByTimestamp(topic, group, System.currentTimeMillis() - 600_000, true);
    } catch (org.apache.rocketmq.client.exception.MQClientException e) {
      // A broker that only resets by telling online clients says so; mqadmin then goes the old way, as here.
      Check.equal(Codes.CONSUMER_NOT_ONLINE, e.getResponseCode(), "response code of a reset without clients");
      c.admin().resetOffsetByTimestampOld(group, topic, System.currentTimeMillis() - 600_000, true);
    }
    Inbox again = new Inbox();
    c.push(group, topic, "*", again);
    again.await(35, 10);
    Check.equal(SendScenarios.numbered("r", 10), new TreeSet<>(again.bodies()), "bodies read again");
  }

  private static void cloneOffset(Context c) throws Exception {
    String topic = c.topic(1);
    String source = c.group();
    String copy = c.group();
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 5; i++) producer.send(message(topic, "old" + i));
    Inbox inbox = new Inbox();
    DefaultMQPushConsumer consumer = c.push(source, topic, "*", inbox);
    inbox.await(15, 5);
    consumer.shutdown();
    c.awaitConsumed(source, topic, 5);
    c.admin().cloneGroupOffset(source, copy, topic, true);
    producer.send(message(topic, "new"));
    Inbox copied = new Inbox();
    c.push(copy, topic, "*", copied);
    copied.await(15, 1);
    Check.equal(List.of("new"), copied.bodies(), "what the copy gets");
  }

  private static void directly(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    Inbox inbox = new Inbox();
    DefaultMQPushConsumer consumer = c.push(group, topic, "wanted", inbox);
    SendResult sent = c.producer().send(message(topic, "unwanted", "pushed by hand"));
    Check.eventually(10, () -> c.admin().examineConsumerConnectionInfo(group).getConnectionSet().size() == 1, () ->
        "the consumer online");
    String id = consumer.buildMQClientId();
    var result = c.admin().consumeMessageDirectly(group, id, topic, sent.getOffsetMsgId());
    Check.equal("CR_SUCCESS", result.getConsumeResult().toString(), "result");
    Check.equal(List.of("pushed by hand"), inbox.bodies(), "what the listener got");
  }

  private static void runningInfo(Context c) throws Exception {
    String topic = c.topic(2);
    String group = c.group();
    DefaultMQPushConsumer consumer = c.push(group, topic, "A", new Inbox());
    Check.eventually(15, () -> {
      var info = c.admin().getConsumerRunningInfo(group, consumer.buildMQClientId(), false);
      return info.getMqTable().keySet().stream().filter(mq -> mq.getTopic().equals(topic)).count() == 2;
    }, () -> "both queues in the running info");
    var info = c.admin().getConsumerRunningInfo(group, consumer.buildMQClientId(), false);
    Check.that(info.getSubscriptionSet().stream().anyMatch(s ->
        s.getTopic().equals(topic) && s.getSubString().equals("A")), "subscription");
    try {
      throw new AssertionError("answered for a client nobody knows: " + c.admin().getConsumerRunningInfo(group,
          "10.0.0.1@nobody", false));
    } catch (org.apache.rocketmq.client.exception.MQClientException e) {
      Check.that(e.getMessage().contains("not online"), "text: " + e.getMessage());
    }
  }

  private static void status(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    Inbox inbox = new Inbox();
    DefaultMQPushConsumer consumer = c.push(group, topic, "*", inbox);
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 3; i++) producer.send(message(topic, "s" + i));
    inbox.await(15, 3);
    Check.eventually(15, () -> c.admin().getConsumeStatus(topic, group,
        "").get(consumer.buildMQClientId()).values().contains(3L),
        () -> "offset 3 from the client itself, seen " + c.admin().getConsumeStatus(topic, group, ""));
  }

  private static void track(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    Inbox inbox = new Inbox();
    c.push(group, topic, "*", inbox);
    SendResult sent = c.producer().send(message(topic, "tracked"));
    inbox.await(15, 1);
    Check.eventually(15, () -> c.admin().messageTrackDetail(c.admin().viewMessage(topic,
        sent.getOffsetMsgId())).stream()
        .anyMatch(t -> t.getConsumerGroup().equals(group) && t.getTrackType().toString().equals("CONSUMED")),
        () -> "CONSUMED, seen " + c.admin().messageTrackDetail(c.admin().viewMessage(topic, sent.getOffsetMsgId())));
  }

  private OperationScenarios() {}
}

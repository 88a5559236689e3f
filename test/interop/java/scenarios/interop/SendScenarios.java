package interop;

import static interop.Context.message;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The ways to send, and what a broker refuses. */
final class SendScenarios {
  private static final int MEGABYTE = 1024 * 1024;

  static List<Scenario> all() {
    return List.of(
        Scenario.of(Scenario.CORE, "producer-sync", SendScenarios::sync),
        Scenario.of(Scenario.CORE, "producer-async", SendScenarios::async),
        Scenario.of(Scenario.CORE, "producer-oneway", SendScenarios::oneway),
        Scenario.of(Scenario.CORE, "producer-batch", SendScenarios::batch),
        Scenario.of(Scenario.CORE, "producer-selector", SendScenarios::selector),
        Scenario.of(Scenario.CORE, "producer-vip-channel", SendScenarios::vipChannel),
        Scenario.of(Scenario.CORE, "producer-acl-signature-accepted", SendScenarios::aclHook),
        Scenario.of(Scenario.CORE, "auto-created-topic", SendScenarios::autoCreate),
        Scenario.of(Scenario.CORE, "compressed-body-zlib", SendScenarios::zlib),
        Scenario.of(Scenario.CORE, "unicode-body-properties-keys", SendScenarios::unicode),
        Scenario.of(Scenario.CORE, "message-of-4-mib", SendScenarios::largest),
        Scenario.of(Scenario.CORE, "message-too-large", SendScenarios::tooLarge),
        Scenario.of(Scenario.CORE, "async-error-callback", SendScenarios::asyncError),
        Scenario.of(Scenario.CORE, "properties-too-large", SendScenarios::propertiesTooLarge),
        Scenario.of(Scenario.CORE, "illegal-topic", SendScenarios::illegalTopic),
        Scenario.of(Scenario.CORE, "queue-out-of-range", SendScenarios::queueOutOfRange));
  }

  private static void sync(Context c) throws Exception {
    String topic = c.topic(2);
    DefaultMQProducer producer = c.producer();
    MessageQueue mq = c.queues(topic).get(1);
    for (int i = 0; i < 10; i++) {
      SendResult r = producer.send(message(topic, "m" + i), mq);
      Check.equal(SendStatus.SEND_OK, r.getSendStatus(), "status");
      Check.equal(mq, r.getMessageQueue(), "queue");
      Check.equal((long) i, r.getQueueOffset(), "queue offset");
      Check.that(r.getMsgId().matches("[0-9A-F]{32}|[0-9A-F]{56}"), "msgId " + r.getMsgId());
      String host = MessageDecoder.decodeMessageId(r.getOffsetMsgId()).getAddress().toString();
      Check.equal("/" + c.broker(), host, "store host in the offset message id");
    }
    SendResult free = producer.send(message(topic, "anywhere"));
    Check.that(free.getMessageQueue().getQueueId() < 2, "queue id of a free send: " + free.getMessageQueue());
    c.awaitMessages(topic, 11);
  }

  private static void async(Context c) throws Exception {
    String topic = c.topic(4);
    DefaultMQProducer producer = c.producer();
    int count = 200;
    for (int i = 0; i < 4; i++) producer.send(message(topic, "warm-up" + i));
    CountDownLatch answers = new CountDownLatch(count);
    Set<String> ids = Collections.synchronizedSet(new HashSet<>());
    List<Throwable> errors = Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < count; i++) {
      producer.send(message(topic, "a" + i), new SendCallback() {
        @Override
        public void onSuccess(SendResult r) {
          if (r.getSendStatus() == SendStatus.SEND_OK) ids.add(r.getMsgId());
          answers.countDown();
        }

        @Override
        public void onException(Throwable e) {
          errors.add(e);
          answers.countDown();
        }
      });
    }
    Check.that(answers.await(15, TimeUnit.SECONDS), "answers missing: " + answers.getCount());
    Check.equal(List.of(), errors, "errors");
    Check.equal(count, ids.size(), "distinct ids acknowledged");
    c.awaitMessages(topic, count + 4);
  }

  private static void oneway(Context c) throws Exception {
    String topic = c.topic(4);
    DefaultMQProducer producer = c.producer();
    for (int i = 0; i < 20; i++) producer.sendOneway(message(topic, "o" + i));
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    inbox.await(15, 20);
    Check.equal(numbered("o", 20), new TreeSet<>(inbox.bodies()), "bodies");
    c.awaitMessages(topic, 20);
  }

  private static void batch(Context c) throws Exception {
    String topic = c.topic(4);
    Wire wire = new Wire();
    DefaultMQProducer producer = c.start(new DefaultMQProducer(c.group(), wire));
    List<Message> batch = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      Message m = message(topic, "T" + i % 2, "b" + i);
      m.setKeys("key" + i);
      m.putUserProperty("n", "\u00e9" + i);
      batch.add(m);
    }
    SendResult r = producer.send(batch);
    Check.equal(SendStatus.SEND_OK, r.getSendStatus(), "status");
    Check.equal(1, wire.count(Codes.SEND_BATCH_MESSAGE), "requests with code 320");
    Check.equal(32, r.getOffsetMsgId().split(",").length, "offset message ids in " + r.getOffsetMsgId());
    Check.eventually(10, () -> c.admin().maxOffset(r.getMessageQueue()) == 32, () -> "32 messages in the queue, seen "
        + c.admin().maxOffset(r.getMessageQueue()));
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "T1", inbox);
    inbox.await(15, 16);
    for (MessageExt m : inbox.all()) {
      String n = Inbox.text(m).substring(1);
      Check.equal("key" + n, m.getKeys(), "keys of " + n);
      Check.equal("\u00e9" + n, m.getUserProperty("n"), "property of " + n);
      Check.equal(Long.parseLong(n), m.getQueueOffset(), "offset of " + n);
    }
  }

  private static void selector(Context c) throws Exception {
    String topic = c.topic(4);
    DefaultMQProducer producer = c.producer();
    for (String key : List.of("alpha", "beta", "gamma")) {
      MessageQueue first = null;
      for (int i = 0; i < 5; i++) {
        SendResult r = producer.send(message(topic, key + i), new SelectMessageQueueByHash(), key);
        if (first == null) first = r.getMessageQueue();
        Check.equal(first, r.getMessageQueue(), "queue of " + key);
      }
    }
    c.awaitMessages(topic, 15);
  }

  private static void vipChannel(Context c) throws Exception {
    String topic = c.topic(1);
    DefaultMQProducer producer = new DefaultMQProducer(c.group());
    producer.setVipChannelEnabled(true);
    c.start(producer);
    Check.equal(SendStatus.SEND_OK, producer.send(message(topic, "fast")).getSendStatus(),
        "send to the port two below");
    c.awaitMessages(topic, 1);
  }

  private static void aclHook(Context c) throws Exception {
    String topic = c.topic(1);
    DefaultMQProducer producer = c.start(new DefaultMQProducer(c.group(),
        new AclClientRPCHook(new SessionCredentials("someone", "secret12345"))));
    Check.equal(SendStatus.SEND_OK, producer.send(message(topic, "signed")).getSendStatus(),
        "send with a signature nobody asked for");
  }

  private static void autoCreate(Context c) throws Exception {
    String topic = c.unique("T");
    DefaultMQProducer producer = c.producer();
    Check.equal(SendStatus.SEND_OK, producer.send(message(topic, "first")).getSendStatus(), "status");
    c.awaitRoute(topic, 4);
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    producer.send(message(topic, "second"));
    inbox.await(15, 2);
    Check.equal(Set.of("first", "second"), new HashSet<>(inbox.bodies()), "bodies");
  }

  private static void zlib(Context c) throws Exception {
    Compression.roundTrip(c, 0x0, c.producer());
  }

  private static void unicode(Context c) throws Exception {
    String topic = c.topic(1);
    String body = "gr\u00fc\u00dfe \u4f60\u597d \ud83d\ude80 \u0000 \t end";
    Message m = new Message(topic, "\u6807\u7b7e", "\u952e1 \u952e2", body.getBytes(StandardCharsets.UTF_8));
    m.putUserProperty("\u540d\u524d", "\u5024 \ud83d\ude00 =;,\"{}");
    m.setFlag(-17);
    SendResult sent = c.producer().send(m);
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "\u6807\u7b7e", inbox);
    inbox.await(15, 1);
    MessageExt got = inbox.get(0);
    Check.equal(body, new String(got.getBody(), StandardCharsets.UTF_8), "body");
    Check.equal("\u6807\u7b7e", got.getTags(), "tag");
    Check.equal("\u952e1 \u952e2", got.getKeys(), "keys");
    Check.equal("\u5024 \ud83d\ude00 =;,\"{}", got.getUserProperty("\u540d\u524d"), "property");
    Check.equal(-17, got.getFlag(), "flag");
    Check.equal(sent.getMsgId(), got.getMsgId(), "message id");
    Check.eventually(15, () -> c.admin().queryMessage(topic, "\u952e2", 8, 0,
        Long.MAX_VALUE).getMessageList().size() == 1,
        () -> "the message by its second key");
  }

  private static void largest(Context c) throws Exception {
    String topic = c.topic(1);
    byte[] body = noise(4 * MEGABYTE);
    DefaultMQProducer producer = new DefaultMQProducer(c.group());
    producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
    producer.setSendMsgTimeout(10_000);
    c.start(producer);
    Check.equal(SendStatus.SEND_OK, producer.send(new Message(topic, body)).getSendStatus(), "status");
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    inbox.await(20, 1);
    Check.that(Arrays.equals(body, inbox.get(0).getBody()), "the body that came back differs");
  }

  private static void tooLarge(Context c) throws Exception {
    String topic = c.topic(1);
    DefaultMQProducer producer = unlimited(c);
    int code = Check.refusedWith(() -> producer.send(new Message(topic, noise(4 * MEGABYTE + 1))));
    Check.equal(Codes.MESSAGE_ILLEGAL, code, "response code");
    Check.equal(SendStatus.SEND_OK, producer.send(message(topic, "small")).getSendStatus(), "the next send");
    c.awaitMessages(topic, 1);
  }

  private static void asyncError(Context c) throws Exception {
    String topic = c.topic(1);
    CompletableFuture<SendResult> answer = new CompletableFuture<>();
    unlimited(c).send(new Message(topic, noise(4 * MEGABYTE + 1)), new SendCallback() {
      @Override
      public void onSuccess(SendResult r) {
        answer.complete(r);
      }

      @Override
      public void onException(Throwable e) {
        answer.completeExceptionally(e);
      }
    }, 10_000);
    try {
      throw new AssertionError("not refused: " + answer.get(15, TimeUnit.SECONDS));
    } catch (java.util.concurrent.ExecutionException e) {
      Check.that(e.getCause() instanceof MQBrokerException, "a broker's refusal, got " + e.getCause());
      Check.equal(Codes.MESSAGE_ILLEGAL, ((MQBrokerException) e.getCause()).getResponseCode(), "response code");
    }
  }

  private static void propertiesTooLarge(Context c) throws Exception {
    String topic = c.topic(1);
    DefaultMQProducer producer = c.producer();
    Message m = message(topic, "body");
    m.putUserProperty("big", "x".repeat(33_000));
    Check.equal(Codes.MESSAGE_ILLEGAL, Check.refusedWith(() -> producer.send(m)), "response code");
    Message fits = message(topic, "body");
    fits.putUserProperty("big", "x".repeat(32_000));
    Check.equal(SendStatus.SEND_OK, producer.send(fits).getSendStatus(), "32 000 bytes of properties");
  }

  private static void illegalTopic(Context c) throws Exception {
    DefaultMQProducer producer = c.producer();
    Check.equal(Codes.INVALID_PARAMETER,
        Check.refusedWith(() -> { create(c, "has a blank"); return "created"; }), "creating a topic with a blank");
    Check.equal(Codes.INVALID_PARAMETER,
        Check.refusedWith(() -> { create(c, "x".repeat(128)); return "created"; }),
            "creating a topic of 128 characters");
    Check.equal(Codes.INVALID_PARAMETER,
        Check.refusedWith(() -> { create(c, "TBW102"); return "created"; }),
            "creating a topic with a system topic's name");
    String longest = (c.unique("T") + "x".repeat(127)).substring(0, 127);
    Check.equal(SendStatus.SEND_OK, producer.send(message(longest, "127")).getSendStatus(),
        "a topic of 127 characters");
    Check.refusedWith(() -> producer.send(message("has a blank", "m")));
  }

  private static void create(Context c, String topic) throws Exception {
    c.admin().createAndUpdateTopicConfig(c.broker(), new TopicConfig(topic, 1, 1, 6));
  }

  private static void queueOutOfRange(Context c) throws Exception {
    String topic = c.topic(2);
    DefaultMQProducer producer = c.producer();
    int code = Check.refusedWith(() -> producer.send(message(topic, "m"), new MessageQueue(topic, c.fleet.brokerName,
        2)));
    Check.equal(Codes.INVALID_PARAMETER, code, "response code");
    c.awaitMessages(topic, 0);
  }

  private static DefaultMQProducer unlimited(Context c) throws Exception {
    DefaultMQProducer producer = new DefaultMQProducer(c.group());
    producer.setMaxMessageSize(16 * MEGABYTE);
    producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
    producer.setSendMsgTimeout(10_000);
    return c.start(producer);
  }

  /** Bytes that do not compress. */
  static byte[] noise(int length) {
    byte[] body = new byte[length];
    new Random(length).nextBytes(body);
    return body;
  }

  static Set<String> numbered(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).collect(Collectors.toCollection(TreeSet::new));
  }

  private SendScenarios() {}
}

package interop;

import static interop.Context.message;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Half messages and their fate. The broker is configured to check after a second or two. */
final class TransactionScenarios {
  static List<Scenario> all() {
    return List.of(
        Scenario.of(Scenario.ADVANCED, "transaction-commit", TransactionScenarios::commit),
        Scenario.of(Scenario.ADVANCED, "transaction-rollback", TransactionScenarios::rollback),
        Scenario.slow(Scenario.ADVANCED, "transaction-check-commits", 60, TransactionScenarios::check),
        Scenario.slow(Scenario.ADVANCED, "transaction-check-by-another-producer", 60,
            TransactionScenarios::anotherProducer));
  }

  private static final class Decider implements TransactionListener {
    final LocalTransactionState first;
    final LocalTransactionState onCheck;
    final AtomicInteger checks = new AtomicInteger();
    volatile MessageExt checked;

    Decider(LocalTransactionState first, LocalTransactionState onCheck) {
      this.first = first;
      this.onCheck = onCheck;
    }

    @Override
    public LocalTransactionState executeLocalTransaction(Message m, Object arg) {
      return first;
    }

    @Override
    public LocalTransactionState checkLocalTransaction(MessageExt m) {
      checked = m;
      checks.incrementAndGet();
      return onCheck;
    }
  }

  private static TransactionMQProducer producer(Context c, String group, Decider decider) throws Exception {
    TransactionMQProducer producer = new TransactionMQProducer(group);
    producer.setTransactionListener(decider);
    return c.start(producer);
  }

  private static void commit(Context c) throws Exception {
    String topic = c.topic(2);
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "yes", inbox);
    var producer = producer(c, c.group(), new Decider(LocalTransactionState.COMMIT_MESSAGE,
        LocalTransactionState.UNKNOW));
    Message m = message(topic, "yes", "paid");
    m.setKeys("order-1");
    TransactionSendResult r = producer.sendMessageInTransaction(m, null);
    Check.equal(SendStatus.SEND_OK, r.getSendStatus(), "status");
    inbox.await(15, 1);
    MessageExt got = inbox.get(0);
    Check.equal("paid", Inbox.text(got), "body");
    Check.equal("order-1", got.getKeys(), "keys");
    Check.equal(r.getMsgId(), got.getMsgId(), "message id");
    Check.equal(8, got.getSysFlag() & 0xC, "transaction bits of the system flag");
  }

  private static void rollback(Context c) throws Exception {
    String topic = c.topic(1);
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    // A broker may still check a transaction that was rolled back a moment ago (the Java one writes its marks every 3
    // s).
    Decider decider = new Decider(LocalTransactionState.ROLLBACK_MESSAGE, LocalTransactionState.ROLLBACK_MESSAGE);
    var producer = producer(c, c.group(), decider);
    producer.sendMessageInTransaction(message(topic, "undone"), null);
    // What comes after it arrives alone, and only after a check: by then the first would have arrived.
    Decider later = new Decider(LocalTransactionState.UNKNOW, LocalTransactionState.COMMIT_MESSAGE);
    producer(c, c.group(), later).sendMessageInTransaction(message(topic, "done"), null);
    inbox.await(35, 1);
    Check.equal(List.of("done"), inbox.bodies(), "bodies");
    Check.that(later.checks.get() >= 1, "the second was not asked for");
  }

  private static void check(Context c) throws Exception {
    String topic = c.topic(1);
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    Decider decider = new Decider(LocalTransactionState.UNKNOW, LocalTransactionState.COMMIT_MESSAGE);
    TransactionSendResult r = producer(c, c.group(), decider).sendMessageInTransaction(message(topic, "asked"), null);
    inbox.await(50, 1);
    Check.that(decider.checks.get() >= 1, "no check before the message came");
    Check.equal("asked", Inbox.text(decider.checked), "body of the checked message");
    Check.equal(r.getTransactionId(), decider.checked.getTransactionId(), "transaction id of the checked message");
    Check.equal(topic, decider.checked.getTopic(), "topic of the checked message");
  }

  private static void anotherProducer(Context c) throws Exception {
    String topic = c.topic(1);
    String group = c.group();
    Inbox inbox = new Inbox();
    c.push(c.group(), topic, "*", inbox);
    Decider second = new Decider(LocalTransactionState.UNKNOW, LocalTransactionState.COMMIT_MESSAGE);
    var survivor = producer(c, group, second);
    survivor.send(message(topic, "plain"));
    inbox.await(15, 1);
    var first = producer(c, group, new Decider(LocalTransactionState.UNKNOW, LocalTransactionState.UNKNOW));
    first.sendMessageInTransaction(message(topic, "orphan"), null);
    first.shutdown();
    inbox.await(40, 2);
    Check.equal("orphan", inbox.bodies().get(1), "body");
    Check.that(second.checks.get() >= 1, "the surviving producer was not asked");
  }

  private TransactionScenarios() {}
}

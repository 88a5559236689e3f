package interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.message.MessageExt;

/** A concurrent listener that keeps all it gets, in the order of arrival, and answers success unless told otherwise. */
final class Inbox implements MessageListenerConcurrently {
  private final List<MessageExt> messages = new ArrayList<>();
  private final List<Long> arrivals = new ArrayList<>();
  private final Function<MessageExt, Integer> retryLevel;

  Inbox() {
    this(m -> null);
  }

  /** retryLevel: the delay level to send the message back with (-1: dead letter), or null when it is consumed. */
  Inbox(Function<MessageExt, Integer> retryLevel) {
    this.retryLevel = retryLevel;
  }

  @Override
  public ConsumeConcurrentlyStatus consumeMessage(List<MessageExt> batch, ConsumeConcurrentlyContext context) {
    add(batch);
    Integer level = retryLevel.apply(batch.get(0));
    if (level == null) return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    context.setDelayLevelWhenNextConsume(level);
    return ConsumeConcurrentlyStatus.RECONSUME_LATER;
  }

  synchronized void add(Collection<MessageExt> batch) {
    long now = System.currentTimeMillis();
    for (MessageExt m : batch) {
      messages.add(m);
      arrivals.add(now);
    }
  }

  synchronized int size() {
    return messages.size();
  }

  synchronized MessageExt get(int i) {
    return messages.get(i);
  }

  /** Epoch milliseconds at which message i reached the listener. */
  synchronized long arrival(int i) {
    return arrivals.get(i);
  }

  synchronized List<String> bodies() {
    return messages.stream().map(Inbox::text).collect(Collectors.toList());
  }

  synchronized List<MessageExt> all() {
    return new ArrayList<>(messages);
  }

  void await(int seconds, int count) throws Exception {
    Check.eventually(seconds, () -> size() >= count, () -> size() + " of " + count + " messages, " + brief());
  }

  private String brief() {
    List<String> bodies = bodies();
    return bodies.size() > 12 ? bodies.subList(0, 12) + "..." : bodies.toString();
  }

  static String text(MessageExt m) {
    return m.getBody().length > 200 ? m.getBody().length + " bytes" : new String(m.getBody(), StandardCharsets.UTF_8);
  }
}

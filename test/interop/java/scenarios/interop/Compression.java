package interop;

import static org.apache.rocketmq.common.sysflag.MessageSysFlag.COMPRESSED_FLAG;

import java.util.Arrays;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Sends bodies around the 4096-byte threshold and reads them back. */
final class Compression {
  private static final int TYPE_BITS = 0x700;

  /** typeBits: the compression type expected in the stored system flag, 0 where the release may or may not set it. */
  @SuppressWarnings("deprecation")
  static void roundTrip(Context c, int typeBits, DefaultMQProducer producer) throws Exception {
    String topic = c.topic(1);
    byte[][] bodies = {letters(4095), letters(4096), letters(300_000)};
    for (byte[] body : bodies) producer.send(new Message(topic, body));
    var puller = c.pull(c.group());
    var mq = c.queues(topic).get(0);
    for (int i = 0; i < bodies.length; i++) {
      PullResult r = puller.pull(mq, "*", i, 1);
      Check.equal(PullStatus.FOUND, r.getPullStatus(), "pull at " + i);
      MessageExt m = r.getMsgFoundList().get(0);
      Check.that(Arrays.equals(bodies[i], m.getBody()), "body of " + bodies[i].length + " bytes came back as "
          + m.getBody().length);
      Check.equal(i > 0, m.getStoreSize() < bodies[i].length, "stored smaller (" + m.getStoreSize() + " of "
          + bodies[i].length + ")");
      if (typeBits != 0 && i > 0) Check.equal(typeBits, m.getSysFlag() & TYPE_BITS, "compression type bits");
      if (i == 0) Check.equal(0, m.getSysFlag() & COMPRESSED_FLAG, "compressed bit of a small body");
    }
  }

  private static byte[] letters(int length) {
    byte[] body = new byte[length];
    for (int i = 0; i < length; i++) body[i] = (byte) ('a' + i * 7 % 26);
    return body;
  }

  private Compression() {}
}

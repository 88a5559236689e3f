package interop;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * {@code AdminRunner <namesrvAddr>}: puts a consumer, a producer and one message in place, prints
 * {@code READY key=value...}, then runs the official mqadmin for each line of stdin (arguments parted by tabs) in this
 * one process
 * and prints {@code RESULT <base64 of stdout> <base64 of stderr>}. Ends with its stdin, or with {@code ERROR reason}.
 */
public final class AdminRunner {
  public static void main(String[] args) {
    int status = 0;
    try {
      run(args);
    } catch (Throwable e) {
      System.out.println("ERROR " + e.toString().replaceAll("\\s+", " "));
      status = 1;
    }
    System.out.flush();
    // The clients leave threads behind that nobody waits for.
    Runtime.getRuntime().halt(status);
  }

  private static void run(String[] args) throws Exception {
    PrintStream out = System.out;
    PrintStream err = System.err;
    Fleet fleet = new Fleet(args[0]);
    fleet.awaitBroker(60);
    Context c = new Context(fleet, "admin");
    String topic = c.topic(2);
    String group = c.group();
    String producerGroup = c.group();
    DefaultMQProducer producer = c.start(new DefaultMQProducer(producerGroup));
    Message m = new Message(topic, "TagA", "adm-key", "seen by mqadmin".getBytes(StandardCharsets.UTF_8));
    SendResult sent = producer.send(m, c.queues(topic).get(0));
    Inbox inbox = new Inbox();
    c.push(group, topic, "TagA || TagB", inbox);
    inbox.await(20, 1);
    c.awaitConsumed(group, topic, 1);
    out.println("READY topic=" + topic + " group=" + group + " producerGroup=" + producerGroup + " msgId="
        + sent.getMsgId()
        + " offsetId=" + sent.getOffsetMsgId() + " broker=" + fleet.brokerAddr + " brokerName=" + fleet.brokerName
            + " cluster=" + fleet.cluster
        + " namesrv=" + args[0]);
    out.flush();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      ByteArrayOutputStream stdout = new ByteArrayOutputStream();
      ByteArrayOutputStream stderr = new ByteArrayOutputStream();
      System.setOut(new PrintStream(stdout, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(stderr, true, StandardCharsets.UTF_8));
      Commands.forget();
      MQAdminStartup.main0(line.split("\t"), null);
      System.setOut(out);
      System.setErr(err);
      out.println("RESULT " + base64(stdout) + " " + base64(stderr));
      out.flush();
    }
    c.close();
  }

  /** A lone "-" stands for nothing, so that the line always has its three words. */
  private static String base64(ByteArrayOutputStream bytes) {
    return bytes.size() == 0 ? "-" : Base64.getEncoder().encodeToString(bytes.toByteArray());
  }

  /** mqadmin is made to run one command per process: some commands keep their clients, so each run gets new ones. */
  private static final class Commands extends MQAdminStartup {
    static void forget() {
      SUB_COMMANDS.clear();
    }
  }

  private AdminRunner() {}
}

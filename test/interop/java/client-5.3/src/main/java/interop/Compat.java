package interop;

import java.util.List;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.apache.rocketmq.remoting.protocol.subscription.SubscriptionGroupConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** What differs between the releases by package name or order of arguments,
    and the scenarios only this release can run. */
final class Compat {
  /** The code with which a lite pull consumer asks. */
  static final int LITE_PULL_CODE = 361;

  static void broadcasting(DefaultMQPushConsumer consumer) {
    consumer.setMessageModel(MessageModel.BROADCASTING);
  }

  static void createGroup(DefaultMQAdminExt admin, String broker, String group, int retryMaxTimes) throws Exception {
    SubscriptionGroupConfig config = new SubscriptionGroupConfig();
    config.setGroupName(group);
    config.setRetryMaxTimes(retryMaxTimes);
    admin.createAndUpdateSubscriptionGroupConfig(broker, config);
  }

  static void deleteFromNamesrv(DefaultMQAdminExt admin, Set<String> namesrvs, String cluster,
      String topic) throws Exception {
    admin.deleteTopicInNameServer(namesrvs, cluster, topic);
  }

  static List<Scenario> scenarios() {
    return NewClientScenarios.all();
  }
}

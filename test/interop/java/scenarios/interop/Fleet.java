package interop;

import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** The servers under test, and one admin client that all scenarios share. */
final class Fleet implements AutoCloseable {
  final String namesrv;
  final DefaultMQAdminExt admin;
  /** A producer that only asks for queues. */
  final DefaultMQProducer asker;
  String brokerAddr;
  String brokerName;
  String cluster;

  Fleet(String namesrv) throws Exception {
    this.namesrv = namesrv;
    admin = new DefaultMQAdminExt(8000);
    admin.setNamesrvAddr(namesrv);
    admin.setInstanceName("interop-admin-" + System.nanoTime());
    admin.start();
    asker = new DefaultMQProducer("interop-asker");
    asker.setNamesrvAddr(namesrv);
    asker.start();
  }

  /** Returns when the NameServer lists a broker and routes the topic new topics are made from. */
  void awaitBroker(int seconds) throws Exception {
    Check.eventually(seconds, this::findBroker, () -> "a broker registered at " + namesrv);
    Check.eventually(seconds, () -> !admin.examineTopicRouteInfo("TBW102").getBrokerDatas().isEmpty(), () ->
        "a route of TBW102");
  }

  private boolean findBroker() throws Exception {
    var table = admin.examineBrokerClusterInfo().getBrokerAddrTable();
    if (table == null || table.isEmpty()) return false;
    var broker = table.values().iterator().next();
    brokerName = broker.getBrokerName();
    brokerAddr = broker.getBrokerAddrs().get(0L);
    cluster = broker.getCluster();
    return brokerAddr != null;
  }

  @Override
  public void close() {
    asker.shutdown();
    admin.shutdown();
  }
}

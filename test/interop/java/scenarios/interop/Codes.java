package interop;

/** Request and response codes, by number: their classes moved between the releases. */
final class Codes {
  static final int LOCK_BATCH_MQ = 41;
  static final int NOTIFY_CONSUMER_IDS_CHANGED = 40;
  static final int CONSUMER_SEND_MSG_BACK = 36;
  static final int SEND_BATCH_MESSAGE = 320;

  static final int MESSAGE_ILLEGAL = 13;
  static final int NO_PERMISSION = 16;
  static final int TOPIC_NOT_EXIST = 17;
  static final int QUERY_NOT_FOUND = 22;
  static final int SUBSCRIPTION_PARSE_FAILED = 23;
  static final int INVALID_PARAMETER = 29;
  static final int CONSUMER_NOT_ONLINE = 206;

  private Codes() {}
}

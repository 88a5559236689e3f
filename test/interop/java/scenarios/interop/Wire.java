package interop;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Counts the request codes a client sends and, since hooks see both ways, those the broker sends to it. */
final class Wire implements RPCHook {
  private final Map<Integer, Integer> requests = new ConcurrentHashMap<>();

  @Override
  public void doBeforeRequest(String remoteAddr, RemotingCommand request) {
    requests.merge(request.getCode(), 1, Integer::sum);
  }

  @Override
  public void doAfterResponse(String remoteAddr, RemotingCommand request, RemotingCommand response) {}

  int count(int code) {
    return requests.getOrDefault(code, 0);
  }

  boolean saw(int code) {
    return requests.containsKey(code);
  }
}

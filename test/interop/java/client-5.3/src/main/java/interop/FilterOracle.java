package interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.EvaluationContext;
import org.apache.rocketmq.filter.expression.Expression;
import org.apache.rocketmq.filter.expression.MQFilterException;

/**
 * What the SQL92 filter of the release says. A line of stdin is an expression and any number of property sets, parted by
 * blanks: the expression in base64, a set as {@code name=base64} parted by commas. The answer to a line is {@code R} and
 * a letter for each set, {@code T} where a message with these properties is delivered and {@code F} where it is not, or
 * {@code E} and the text of the refusal in base64.
 */
public final class FilterOracle {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, "UTF-8");
    for (String line = in.readLine(); line != null; line = in.readLine()) out.println(answer(line.split(" ", -1)));
    out.flush();
  }

  private static String answer(String[] words) {
    Expression expression;
    try {
      expression = FilterFactory.INSTANCE.get("SQL92").compile(decode(words[0]));
    } catch (MQFilterException e) {
      return "E " + Base64.getEncoder().encodeToString(e.getMessage().getBytes(StandardCharsets.UTF_8));
    }
    StringBuilder results = new StringBuilder("R ");
    for (int i = 1; i < words.length; i++) results.append(delivers(expression, words[i]) ? 'T' : 'F');
    return results.toString();
  }

  /** As the broker does: only TRUE delivers, and what fails does not. */
  private static boolean delivers(Expression expression, String set) {
    try {
      return Boolean.TRUE.equals(expression.evaluate(new Properties(set)));
    } catch (Throwable e) {
      return false;
    }
  }

  private static String decode(String base64) {
    return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
  }

  private static final class Properties implements EvaluationContext {
    private final Map<String, Object> values = new HashMap<>();

    Properties(String set) {
      for (String pair : set.split(",")) {
        int at = pair.indexOf('=');
        if (at > 0) values.put(pair.substring(0, at), decode(pair.substring(at + 1)));
      }
    }

    @Override
    public Object get(String name) {
      return values.get(name);
    }

    @Override
    public Map<String, Object> keyValues() {
      return values;
    }
  }
}

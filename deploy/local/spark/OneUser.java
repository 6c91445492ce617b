package axion;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import javax.security.sasl.AuthenticationException;
import org.apache.hive.service.auth.PasswdAuthenticationProvider;

/** Lets one user in: AXION_IMPALA_USER with AXION_IMPALA_PASSWORD. */
public class OneUser implements PasswdAuthenticationProvider {
    @Override
    public void Authenticate(String user, String password) throws AuthenticationException {
        if (!same(user, "AXION_IMPALA_USER") || !same(password, "AXION_IMPALA_PASSWORD")) {
            throw new AuthenticationException("user or password is not right");
        }
    }

    private static boolean same(String given, String variable) {
        byte[] wanted = System.getenv(variable).getBytes(StandardCharsets.UTF_8);
        return MessageDigest.isEqual(wanted, given.getBytes(StandardCharsets.UTF_8));
    }
}

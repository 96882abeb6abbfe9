package example;

import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A server with the resource server starter, configured by properties as in its documentation. */
@SpringBootApplication
@RestController
public class Server {
    public static void main(String[] args) {
        SpringApplication.run(Server.class, args);
    }

    @GetMapping("/protected")
    Map<String, String> protectedResource(@AuthenticationPrincipal Jwt token) {
        return Map.of("user_id", String.valueOf(token.getSubject()));
    }
}

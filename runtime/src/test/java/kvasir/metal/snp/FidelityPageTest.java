package kvasir.metal.snp;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class FidelityPageTest {
    @Test
    void everyRuleHasItsLine() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "fidelity-snp.md"));
        for (Rule rule : Rule.values()) {
            assertTrue(
                    page.contains("| %s | %s | %s |".formatted(rule, rule.standard(), rule.alternative())),
                    rule.name());
        }
    }
}

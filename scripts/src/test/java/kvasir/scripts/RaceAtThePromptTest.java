package kvasir.scripts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A race in a conversation: every schedule begins with the machine as it stands, and it stands so behind. */
final class RaceAtThePromptTest {
    private static final String VM = "vm plain = default { vcpus 2  memory 0 .. 64M }";

    private final Session session =
            new Session(new KvasirMachines(), new Machines.Choice("v6.19", 1, RunOptions.DEFAULT_BUDGET), Path.of("."));

    private List<String> said(String text) {
        return assertInstanceOf(Session.Reply.Done.class, session.evaluate(text), text)
                .lines();
    }

    @Test
    void theMachineIsLeftAsItWas() {
        said(VM);
        said("plain.vcpu0.map_memory 0 .. 4K");
        List<String> before = said("show plain.ept");
        List<String> lines = said("""
                race "two callers" {
                    a: plain.vcpu0.map_memory 0 .. 8K
                    b: plain.vcpu1.map_memory 4K .. 12K
                }
                never deadlock, livelock
                always a is ok and b is ok
                """);
        assertTrue(lines.getFirst().startsWith("race \"two callers\": complete ("), lines.toString());
        assertEquals(before, said("show plain.ept"));
    }

    @Test
    void theRaceBeginsWhereTheMachineStands() {
        said(VM);
        said("plain.delete_slot 0");
        assertInstanceOf(Session.Reply.Refused.class, session.evaluate("""
                race "nothing to map" {
                    a: plain.vcpu0.map_memory 0 .. 8K
                    b: plain.vcpu1.map_memory 0 .. 8K
                }
                sometimes a is ok
                """));
        said("""
                race "nothing to map" {
                    a: plain.vcpu0.map_memory 0 .. 8K
                    b: plain.vcpu1.map_memory 0 .. 8K
                }
                always a is ENOENT and b is ENOENT
                """);
    }

    @Test
    void aBrokenClaimLeavesTheMachineToo() {
        said(VM);
        var refused = assertInstanceOf(Session.Reply.Refused.class, session.evaluate("""
                race "deleted meanwhile" {
                    a: plain.vcpu0.map_memory 0 .. 8K
                    b: plain.delete_slot 0
                }
                always a is ok
                """));
        assertTrue(refused.failures().getFirst().text().contains("`always a is ok` does not hold"), refused.toString());
        assertEquals(List.of("slot0  0x00000000..0x04000000  hva 0x700000000000"), said("show plain.slots"));
        said("plain.vcpu0.map_memory 0 .. 8K -> ok");
    }

    @Test
    void insideATestThereIsNone() {
        var refused = assertInstanceOf(
                Session.Reply.Refused.class,
                session.evaluate("test \"t\" { race \"r\" { a: host.inject signal\n b: host.inject signal } }"));
        assertTrue(refused.failures().getFirst().text().contains("E0321"), refused.toString());
    }
}

package kvasir.metal.snp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import kvasir.event.Events;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.memory.PhysicalMemory;
import org.junit.jupiter.api.Test;

/** Both readings of the rules that a script cannot reach; the others are in {@code scripts/snp/*_alternatives.kvs}. */
final class RuleAlternativesTest {
    private static final long BASE = 0x1000_0000;
    private static final long PAGE = 0x20_0000;
    private static final long BEYOND = 0x3000_0000;

    private final PhysicalMemory memory = new PhysicalMemory(1L << 30);
    private final Rmp rmp =
            new Rmp(memory, new Events(), RmpRegisters.contiguous(BASE, RmpRegisters.bytesToCover(1L << 29)));

    private static Rules alternative(Rule rule) {
        return Rules.standard().with(rule);
    }

    private void give(PageSize size) {
        assertEquals(
                ReturnCode.SUCCESS,
                new HostInstructions(rmp, Rules.standard()).rmpupdate(PAGE, RmpUpdate.toGuest(0, size, 1, false)));
    }

    @Test
    void aPageInUse() {
        give(PageSize.SIZE_4K);
        rmp.running(PAGE, true);
        var back = RmpUpdate.shared(PageSize.SIZE_4K);
        assertEquals(ReturnCode.FAIL_INUSE, new HostInstructions(rmp, Rules.standard()).rmpupdate(PAGE, back));
        assertEquals(
                ReturnCode.SUCCESS,
                new HostInstructions(rmp, alternative(Rule.RUNNING_PAGE_IS_IN_USE)).rmpupdate(PAGE, back));
    }

    @Test
    void aPrivateAccessToAnUncoveredPage() {
        assertEquals(
                RmpVerdict.NOT_COVERED,
                new RmpCheck(rmp, Rules.standard()).guestPrivate(BEYOND, 0, 1, 0, 1, Access.READ));
        assertEquals(
                RmpVerdict.ALLOWED,
                new RmpCheck(rmp, alternative(Rule.UNCOVERED_PRIVATE_FAULTS))
                        .guestPrivate(BEYOND, 0, 1, 0, 1, Access.READ));
    }

    private InstructionResult validate2MThrough4K(Rules rules) {
        return new GuestInstructions(rmp, rules)
                .pvalidate(Caller.guest(1, 0), 0, 1, 1, at -> Optional.of(new GuestWalk.Translated(PAGE, at, 1, true)));
    }

    @Test
    void aLargeValidationThroughASmallLeaf() {
        give(PageSize.SIZE_2M);
        assertEquals(
                new InstructionResult.Done(ReturnCode.FAIL_SIZEMISMATCH, false), validate2MThrough4K(Rules.standard()));
        assertEquals(
                new InstructionResult.Done(ReturnCode.SUCCESS, false),
                validate2MThrough4K(alternative(Rule.PVALIDATE_2M_WANTS_2M_LEAF)));
    }

    private int tagAfterReload(Rules rules, int tag) {
        long from = 0x10_0000;
        long to = 0x10_1000;
        var state = new VmsaState(memory, rules);
        var cpu = new Cpu(memory, new Events(), CpuidModel.named("EPYC-Milan").orElseThrow(), 0);
        memory.write64(from + Vmsa.EFER, Vmsa.EFER_SVME);
        memory.write16(from + Vmsa.X87_FTW, (short) tag);
        state.load(from, cpu);
        state.forget();
        state.store(to, cpu);
        return memory.read16(to + Vmsa.X87_FTW) & 0xffff;
    }

    /** Linux starts APs with 0x5555: as a full tag word, eight registers that hold zero. */
    @Test
    void theTagWord() {
        assertEquals(0x55, tagAfterReload(Rules.standard(), 0x5555));
        assertEquals(0xffff, tagAfterReload(alternative(Rule.X87_FTW_IS_ABRIDGED), 0xffff));
        assertEquals(0x5555, tagAfterReload(alternative(Rule.X87_FTW_IS_ABRIDGED), 0x5555));
    }

    /** VMRUN_OF_RUNNING_VMSA_IS_BUSY is in SnpVmTest. */
    @Test
    void everyOtherRuleIsSwitchedByAScript() throws IOException {
        Path scripts = Path.of("..", "scripts", "snp");
        String text = Files.readString(scripts.resolve("rmp_alternatives.kvs"))
                + Files.readString(scripts.resolve("firmware_alternatives.kvs"))
                + Files.readString(scripts.resolve("published_firmware.kvs"))
                + Files.readString(scripts.resolve("halt_alternative.kvs"));
        for (Rule rule : Rule.values()) {
            boolean here = switch (rule) {
                case RUNNING_PAGE_IS_IN_USE,
                        UNCOVERED_PRIVATE_FAULTS,
                        PVALIDATE_2M_WANTS_2M_LEAF,
                        X87_FTW_IS_ABRIDGED,
                        VMRUN_OF_RUNNING_VMSA_IS_BUSY -> true;
                default -> false;
            };
            assertTrue(here || text.contains("alternative " + rule + "\n"), rule.name());
        }
    }
}

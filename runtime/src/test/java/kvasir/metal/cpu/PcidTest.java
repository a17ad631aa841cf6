package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Process-context identifiers: what a guest sees of a page whose entry it changes without telling the TLB. Where the
 * manual leaves it to the processor, the expectation is what this one does, with the words "kept here".
 */
class PcidTest {
    /** The entry for 16 MiB; it leads to 32 MiB or to 48 MiB, which hold 1 and 2. */
    private static final String ENTRY = "qword [0x3040]";

    private static final String FIRST = "mov rax, 0x2000087\nmov " + ENTRY + ", rax\n";
    private static final String SECOND = "mov rax, 0x3000087\nmov " + ENTRY + ", rax\n";

    private static final String PCIDE = "mov rax, cr4\nbts rax, 17\nmov cr4, rax\n";

    private static String cr3(long value) {
        return "mov rax, 0x%x\nmov cr3, rax\n".formatted(value);
    }

    private static final long KEEP = 1L << 63;

    private static String invpcid(int type, int pcid, long address) {
        return "mov qword [0x200000], 0x%x\nmov qword [0x200008], 0x%x\nmov ecx, %d\ninvpcid rcx, [0x200000]\n"
                .formatted(pcid, address, type);
    }

    /** With PCID 1 reads the page, goes to PCID 2, changes the entry, does {@code between}, goes back and reads again. */
    private static int readAfter(String between, long back) {
        return read(Engine.INTERPRETER, "movzx ebx, byte [0x1000001]\n", between, back);
    }

    private static int read(Engine engine, String use, String between, long back) {
        Bench bench = Bench.bits64(
                PCIDE + FIRST + cr3(0x1001) + use + cr3(0x1002) + SECOND + between + cr3(back) + use + "hlt");
        bench.cpu.setEngine(engine);
        // mov bl, 1; ret
        bench.memory.write32(0x200_0000, 0xc301b3);
        bench.memory.write32(0x300_0000, 0xc302b3);
        assertEquals(new VmExit.Hlt(), bench.run());
        return (int) bench.cpu.gpr(Gpr.RBX) & 0xff;
    }

    @Test
    void aLoadWithBit63KeepsWhatIsCachedUnderThePcid() {
        assertEquals(1, readAfter("", KEEP | 0x1001));
    }

    @Test
    void aLoadWithoutItDoesNot() {
        assertEquals(2, readAfter("", 0x1001));
    }

    @Test
    void anotherRootUnderTheSamePcidSharesNothing() {
        assertEquals(2, readAfter("mov qword [0x9000], 0x2007\n", KEEP | 0x9001), "forgotten here, may be kept");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void invpcidForgetsThoseThatWereLeft(int type) {
        assertEquals(2, readAfter(invpcid(type, 1, 0), KEEP | 0x1001));
    }

    @Test
    void invpcidOfAnotherPcidLeavesThem() {
        assertEquals(1, readAfter(invpcid(1, 2, 0), KEEP | 0x1001), "kept here");
        assertEquals(1, readAfter(invpcid(1, 3, 0), KEEP | 0x1001), "kept here");
    }

    @Test
    void invpcidOfOneAddress() {
        assertEquals(2, readAfter(invpcid(0, 1, 0x1000000), KEEP | 0x1001));
        assertEquals(1, readAfter(invpcid(0, 1, 0x40000000), KEEP | 0x1001), "kept here");
    }

    @Test
    void invlpgReachesGlobalPagesOfOtherPcids() {
        assertEquals(2, readAfter("invlpg [0x1000000]\n", KEEP | 0x1001));
    }

    @Test
    void aChangeOfCr4ForgetsAll() {
        assertEquals(2, readAfter("mov rax, cr4\nbtc rax, 7\nmov cr4, rax\n", KEEP | 0x1001), "CR4.PGE");
    }

    /** Code that another address space maps at the same address is never executed in this one. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void decodedCodeFollowsTheAddressSpace(Engine engine) {
        String call = "mov eax, 0x1000000\ncall rax\n";
        assertEquals(1, read(engine, "xor ebx, ebx\n" + call, "", KEEP | 0x1001));
        assertEquals(2, read(engine, "xor ebx, ebx\n" + call, "", 0x1001));
        assertEquals(2, read(engine, "xor ebx, ebx\n" + call, call, 0x1001));
        assertEquals(2, read(engine, "xor ebx, ebx\n" + call, "invlpg [0x1000000]\n", KEEP | 0x1001));
        assertEquals(1, read(engine, "xor ebx, ebx\n" + call, call, KEEP | 0x1001), "kept here");
    }
}

package kvasir.metal.cpu;

import static kvasir.metal.cpu.Bench.stacked;
import static kvasir.metal.cpu.Bench.vector;
import static kvasir.metal.cpu.Bench.withIdt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Rules of paging and of the control registers that go with it, one a test (Intel SDM volume 3, "Paging"). */
final class PagingRulesTest {
    /** The page-directory entry of linear 4 MiB to 6 MiB, a 2 MiB user page. */
    private static final long ENTRY = 0x3000 + 8 * 2;

    private static final long PAGE = 0x40_0000;
    private static final long SUPERVISOR_PAGE = PAGE | 0x83;
    private static final long USER_PAGE = PAGE | 0x87;
    private static final int NO_FAULT = -1;
    private static final String READ = "mov eax, [0x400000]\nhlt";
    private static final String WRITE = "mov dword [0x400000], 1\nhlt";
    private static final String FETCH = "mov eax, 0x400000\ncall rax\nhlt";
    private static final CpuidModel MILAN = CpuidModel.named("EPYC-Milan").orElseThrow();

    /** Vector and error code times 256 of what a supervisor's access to a page ends in, or {@link #NO_FAULT}. */
    private static int supervisor(String access, long entry, long cr4, long cr0) {
        return outcome(withIdt(access), entry, cr4, cr0);
    }

    private static int user(String access, long entry, long cr4) {
        return outcome(withIdt(access.replace("hlt", "ud2")).inRing3(), entry, cr4, 0x8001_0033L);
    }

    private static int outcome(Bench bench, long entry, long cr4, long cr0) {
        bench.memory.write64(ENTRY, entry);
        bench.memory.write8(PAGE, (byte) 0xc3);
        bench.cpu.setCr(4, bench.cpu.cr(4) | cr4);
        bench.cpu.setCr(0, cr0);
        // what is to be refused for being a user page must not be the code, the stack or the tables too
        if ((cr4 & (Bits.CR4_SMEP | Bits.CR4_SMAP)) != 0) {
            bench.memory.write64(0x3000, 0x83);
            bench.memory.write64(0x3008, 0x20_0083);
            bench.cpu.flushTranslations();
        }
        int vector = vector(bench);
        if (bench.cpu.rip() > Bench.CODE || vector == Vector.UD) {
            return NO_FAULT;
        }
        return vector | (int) stacked(bench, 0) << 8;
    }

    private static int fault(int code) {
        return Vector.PF | code << 8;
    }

    @Test
    void writeProtection() {
        assertEquals(fault(3), supervisor(WRITE, SUPERVISOR_PAGE & ~2, 0, 0x8001_0033L));
        assertEquals(NO_FAULT, supervisor(WRITE, SUPERVISOR_PAGE & ~2, 0, 0x8000_0033L), "CR0.WP is clear");
        assertEquals(fault(7), user(WRITE, USER_PAGE & ~2, 0));
        assertEquals(fault(5), user(READ, SUPERVISOR_PAGE, 0));
        assertEquals(fault(4), user(READ, 0, 0));
    }

    @Test
    void executeDisable() {
        assertEquals(fault(0x11), supervisor(FETCH, SUPERVISOR_PAGE | 1L << 63, 0, 0x8001_0033L));
        Bench withoutNxe = withIdt(READ);
        withoutNxe.cpu.setMsr(Msr.EFER, Bits.EFER_LME | Bits.EFER_LMA);
        assertEquals(
                fault(9), outcome(withoutNxe, SUPERVISOR_PAGE | 1L << 63, 0, 0x8001_0033L), "bit 63 is reserved then");
    }

    @Test
    void smepAndSmap() {
        assertEquals(NO_FAULT, supervisor(FETCH, USER_PAGE, 0, 0x8001_0033L));
        assertEquals(fault(0x11), supervisor(FETCH, USER_PAGE, Bits.CR4_SMEP, 0x8001_0033L));
        assertEquals(NO_FAULT, supervisor(READ, USER_PAGE, Bits.CR4_SMEP, 0x8001_0033L));
        assertEquals(fault(1), supervisor(READ, USER_PAGE, Bits.CR4_SMAP, 0x8001_0033L));
        assertEquals(fault(3), supervisor(WRITE, USER_PAGE, Bits.CR4_SMAP, 0x8000_0033L), "whatever CR0.WP says");
        assertEquals(NO_FAULT, supervisor("stac\n" + READ, USER_PAGE, Bits.CR4_SMAP, 0x8001_0033L));
        assertEquals(fault(1), supervisor("stac\nclac\n" + READ, USER_PAGE, Bits.CR4_SMAP, 0x8001_0033L));
        assertEquals(
                fault(1),
                supervisor(
                        "mov rax, 0x00af9b000000ffff\nmov [0x3ff008], rax\nmov word [0x200000], 0x1fff\n"
                                + "mov qword [0x200002], 0x3ff000\nlgdt [0x200000]\nstac\nmov eax, 0x1000\n"
                                + "mov ds, ax\nhlt",
                        USER_PAGE,
                        Bits.CR4_SMAP,
                        0x8001_0033L),
                "accesses to descriptor tables are not for AC to allow");
    }

    @Test
    void keysOfUserPages() {
        long entry = USER_PAGE | 1L << 59;
        String disabled = "mov eax, 4\nxor ecx, ecx\nxor edx, edx\nwrpkru\n";
        String noWrites = disabled.replace("eax, 4", "eax, 8");
        assertEquals(fault(0x25), user(disabled + READ, entry, Bits.CR4_PKE));
        assertEquals(NO_FAULT, user(disabled + READ, USER_PAGE, Bits.CR4_PKE), "key 0");
        assertEquals(NO_FAULT, user(noWrites + READ, entry, Bits.CR4_PKE));
        assertEquals(fault(0x27), user(noWrites + WRITE, entry, Bits.CR4_PKE));
        assertEquals(fault(0x21), supervisor(disabled + READ, entry, Bits.CR4_PKE, 0x8001_0033L));
        assertEquals(fault(0x23), supervisor(noWrites + WRITE, entry, Bits.CR4_PKE, 0x8001_0033L));
        assertEquals(NO_FAULT, supervisor(noWrites + WRITE, entry, Bits.CR4_PKE, 0x8000_0033L), "without CR0.WP");
        assertEquals(NO_FAULT, supervisor(disabled + FETCH, entry, Bits.CR4_PKE, 0x8001_0033L), "fetches have no key");
        assertEquals(NO_FAULT, supervisor(disabled + READ, SUPERVISOR_PAGE | 1L << 59, Bits.CR4_PKE, 0x8001_0033L));
    }

    @Test
    void keysOfSupervisorPages() {
        long entry = SUPERVISOR_PAGE | 1L << 59;
        String disabled = "mov ecx, 0x6e1\nmov eax, 4\nxor edx, edx\nwrmsr\n";
        String noWrites = disabled.replace("eax, 4", "eax, 8");
        assertEquals(fault(0x21), supervisor(disabled + READ, entry, Bits.CR4_PKS, 0x8001_0033L));
        assertEquals(fault(0x23), supervisor(noWrites + WRITE, entry, Bits.CR4_PKS, 0x8001_0033L));
        assertEquals(NO_FAULT, supervisor(noWrites + WRITE, entry, Bits.CR4_PKS, 0x8000_0033L));
        assertEquals(NO_FAULT, supervisor(disabled + READ, USER_PAGE | 1L << 59, Bits.CR4_PKS, 0x8001_0033L));
        assertEquals(Vector.GP, vector(withIdt("mov ecx, 0x6e1\nmov edx, 1\nxor eax, eax\nwrmsr\nhlt")));
    }

    @Test
    void reservedBits() {
        assertEquals(fault(9), supervisor(READ, SUPERVISOR_PAGE | 1 << 13, 0, 0x8001_0033L), "address of a 2 MiB page");
        assertEquals(fault(0xb), supervisor(WRITE, SUPERVISOR_PAGE | 1 << 20, 0, 0x8001_0033L));
        Bench milan = withIdt(READ, MILAN);
        assertEquals(fault(9), outcome(milan, SUPERVISOR_PAGE | 1L << 48, 0, 0x8001_0033L), "MAXPHYADDR is 48");
        assertEquals(fault(0xd), user(READ, USER_PAGE | 1 << 13, 0));
    }

    @Test
    void accessedAndDirtyFlags() {
        Bench read = withIdt(READ);
        assertEquals(NO_FAULT, outcome(read, SUPERVISOR_PAGE, 0, 0x8001_0033L));
        assertEquals(0x20, read.memory.read64(ENTRY) & 0x60);
        Bench write = withIdt(WRITE);
        assertEquals(NO_FAULT, outcome(write, SUPERVISOR_PAGE, 0, 0x8001_0033L));
        assertEquals(0x60, write.memory.read64(ENTRY) & 0x60);
        assertEquals(0x2027, write.memory.read64(0x1000), "a table has no dirty flag");
    }

    private static int program(String source) {
        Bench bench = withIdt(source);
        int vector = vector(bench);
        return bench.cpu.rip() > Bench.CODE ? NO_FAULT : vector;
    }

    private static final String PCIDE = "mov rax, cr4\nbts rax, 17\nmov cr4, rax\n";

    @Test
    void pcidsNeedLongModeAndACleanCr3() {
        assertEquals(NO_FAULT, program(PCIDE + "hlt"));
        assertEquals(Vector.GP, program("mov rax, 0x1018\nmov cr3, rax\n" + PCIDE + "hlt"), "CR3[11:0] is not 0");
        assertEquals(Vector.GP, program(PCIDE + "mov rax, cr0\nbtr rax, 31\nmov cr0, rax\nhlt"), "PG before PCIDE");
        Bench bench = Bench.bits32("mov eax, cr4\nbts eax, 17\nmov cr4, eax\nhlt");
        assertTrue(bench.run() instanceof VmExit.TripleFault, "outside long mode");
    }

    @Test
    void bit63OfCr3KeepsTranslationsAndIsNotStored() {
        assertEquals(Vector.GP, program("mov rax, 0x8000000000001000\nmov cr3, rax\nhlt"), "without PCIDs");
        Bench bench = withIdt(PCIDE + "mov rax, 0x8000000000001005\nmov cr3, rax\nmov rbx, cr3\nhlt");
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(0x1005, bench.cpu.gpr(Gpr.RBX));
        assertEquals(Vector.GP, program("mov rax, 0x10000000001000\nmov cr3, rax\nhlt"), "beyond MAXPHYADDR");
    }

    private static String invpcid(long type, long pcid, long address) {
        return "mov rax, 0x%x\nmov [0x200000], rax\nmov rax, 0x%x\nmov [0x200008], rax\nmov rcx, 0x%x\n"
                        .formatted(pcid, address, type)
                + "invpcid rcx, [0x200000]\nhlt";
    }

    @Test
    void invpcidChecksItsDescriptor() {
        for (int type = 0; type < 4; type++) {
            assertEquals(NO_FAULT, program(invpcid(type, 0, 0)), "type " + type);
            assertEquals(NO_FAULT, program(PCIDE + invpcid(type, 0xfff, 0)), "type " + type);
            assertEquals(Vector.GP, program(PCIDE + invpcid(type, 0x1000, 0)), "bits 63:12, type " + type);
        }
        assertEquals(Vector.GP, program(invpcid(4, 0, 0)));
        assertEquals(Vector.GP, program(invpcid(0, 1, 0)), "a PCID without CR4.PCIDE");
        assertEquals(Vector.GP, program(invpcid(1, 1, 0)));
        assertEquals(NO_FAULT, program(invpcid(2, 1, 0)), "types 2 and 3 do not look at it");
        assertEquals(Vector.GP, program(invpcid(0, 0, 1L << 62)), "not canonical");
        assertEquals(NO_FAULT, program(invpcid(1, 0, 1L << 62)), "only type 0 has an address");
        Bench user = withIdt("invpcid rcx, [0x200000]\nhlt").inRing3();
        assertEquals(Vector.GP, vector(user));
    }

    @Test
    void invlpgAndCr3ForgetWhatWasCached() {
        String read = "mov eax, [0x400000]\nmov qword [0x3010], 0\n";
        assertEquals(Vector.PF, program(read + "invlpg [0x400123]\n" + READ));
        assertEquals(Vector.PF, program(read + "mov rax, cr3\nmov cr3, rax\n" + READ));
        assertEquals(Vector.PF, program(read + "mov rax, cr4\nbtc rax, 7\nmov cr4, rax\n" + READ), "CR4.PGE");
    }

    @Test
    void umipKeepsTablesFromUsers() {
        for (String store : new String[] {"sgdt [0x200000]", "sidt [0x200000]", "sldt eax", "str eax", "smsw eax"}) {
            Bench bench = withIdt(store + "\nud2").inRing3();
            assertEquals(Vector.UD, vector(bench), store);
            bench = withIdt(store + "\nud2").inRing3();
            bench.cpu.setCr(4, bench.cpu.cr(4) | Bits.CR4_UMIP);
            assertEquals(Vector.GP, vector(bench), store);
        }
    }

    @Test
    void canonicalAddressesAreThoseOfTheMode() {
        assertEquals(Vector.PF, program("mov rax, 0x7fffffffffff\nmov al, [rax]\nhlt"));
        assertEquals(Vector.GP, program("mov rax, 0x800000000000\nmov al, [rax]\nhlt"));
        assertEquals(Vector.GP, program("mov rax, 0xffff7fffffffffff\nmov al, [rax]\nhlt"));
        assertEquals(Vector.PF, program("mov rax, 0xffff800000000000\nmov al, [rax]\nhlt"));
        // an address for CR4.LA57 may be loaded without it where the model has it
        String base = "mov ecx, 0xc0000101\nmov eax, 0\nmov edx, 0x%x\nwrmsr\nhlt";
        assertEquals(NO_FAULT, program(base.formatted(0x00ff_0000)));
        assertEquals(Vector.GP, program(base.formatted(0x0100_0000)));
        Bench milan = withIdt(base.formatted(0x00ff_0000), MILAN);
        assertEquals(Vector.GP, vector(milan));
    }

    @Test
    void fiveLevelsAreChosenWhilePagingIsOff() {
        assertEquals(Vector.GP, program("mov rax, cr4\nbts rax, 12\nmov cr4, rax\nhlt"));
        Bench bench = withIdt("mov rax, 0x80000000100000\nmov ebx, [rax]\nhlt");
        bench.memory.write64(0x9000, 0x1007);
        bench.memory.write64(0x9000 + 8 * 0x80, 0x1007);
        bench.memory.write32(0x10_0000 + 0x1000, 0);
        bench.cpu.setCr(4, bench.cpu.cr(4) | Bits.CR4_LA57);
        bench.cpu.setCr(3, 0x9000);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(bench.memory.read32(0x10_0000), (int) bench.cpu.gpr(Gpr.RBX));
        assertEquals(Vector.GP, vector(withLa57("mov rax, 0x100000000000000\nmov ebx, [rax]\nhlt")));
        assertEquals(Vector.PF, vector(withLa57("mov rax, 0xff000000000000\nmov ebx, [rax]\nhlt")));
    }

    private static Bench withLa57(String source) {
        Bench bench = withIdt(source);
        bench.memory.write64(0x9000, 0x1007);
        bench.cpu.setCr(4, bench.cpu.cr(4) | Bits.CR4_LA57);
        bench.cpu.setCr(3, 0x9000);
        return bench;
    }
}

package kvasir.kvm;

import static kvasir.kvm.KvmFixture.MIB;
import static kvasir.kvm.KvmFixture.PAGE;
import static kvasir.kvm.KvmFixture.name;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** kvm_main.c, kvm_set_memory_region: each check, and the order among them. */
class SetUserMemoryRegionTest {
    private static final long HVA = 0x7f00_0000_0000L;

    /** slot, flags, gpa, size, hva, offset and fd of a call on an empty VM; the answer of version 2, and of version 1. */
    @ParameterizedTest
    @CsvSource({
        // a slot that is right
        "DEFAULT,      0,     0, 0x0,    0x1000, 0x7f0000000000, 0, ok,     ok",
        "DEFAULT,      32763, 0, 0x0,    0x1000, 0x7f0000000000, 0, ok,     ok",
        // slot id not below KVM_CAP_NR_MEMSLOTS
        "DEFAULT,      32764, 0, 0x0,    0x1000, 0x7f0000000000, 0, EINVAL, EINVAL",
        // flags
        "DEFAULT,      0,     1, 0x0,    0x1000, 0x7f0000000000, 0, ok,     ok",
        "DEFAULT,      0,     2, 0x0,    0x1000, 0x7f0000000000, 0, ok,     ok",
        "DEFAULT,      0,     8, 0x0,    0x1000, 0x7f0000000000, 0, EINVAL, EINVAL",
        "DEFAULT,      0,     4, 0x0,    0x1000, 0x7f0000000000, 0, EINVAL, EINVAL",
        "SW_PROTECTED, 0,     4, 0x0,    0x1000, 0x7f0000000000, 0, EBADF,  EINVAL",
        "SW_PROTECTED, 0,     5, 0x0,    0x1000, 0x7f0000000000, 0, EINVAL, EINVAL",
        "SW_PROTECTED, 0,     6, 0x0,    0x1000, 0x7f0000000000, 0, EINVAL, EINVAL",
        "TDX,          0,     2, 0x0,    0x1000, 0x7f0000000000, 0, EINVAL, EINVAL",
        // alignment
        "DEFAULT,      0,     0, 0x0,    0x1001, 0x7f0000000000, 0, EINVAL, EINVAL",
        "DEFAULT,      0,     0, 0x800,  0x1000, 0x7f0000000000, 0, EINVAL, EINVAL",
        "DEFAULT,      0,     0, 0x0,    0x1000, 0x7f0000000800, 0, EINVAL, EINVAL",
        // an hva outside user space
        "DEFAULT,      0,     0, 0x0,    0x1000, 0x800000000000, 0, EINVAL, EINVAL",
        "DEFAULT,      0,     0, 0x0,    0x2000, 0x7fffffffe000, 0, EINVAL, EINVAL",
        "DEFAULT,      0,     0, 0x0,    0x1000, 0x7fffffffe000, 0, ok,     ok",
        // guest_memfd_offset unaligned
        "SW_PROTECTED, 0,     4, 0x0,    0x1000, 0x7f0000000000, 1, EINVAL, EINVAL",
        // address spaces: two, but one where memory can be private
        "DEFAULT,      65536, 0, 0x0,    0x1000, 0x7f0000000000, 0, ok,     ok",
        "DEFAULT,      131072, 0, 0x0,   0x1000, 0x7f0000000000, 0, EINVAL, EINVAL",
        "SW_PROTECTED, 65536, 0, 0x0,    0x1000, 0x7f0000000000, 0, EINVAL, EINVAL",
        // gpa + size wraps
        "DEFAULT,      0,     0, 0xfffffffffffff000, 0x2000, 0x7f0000000000, 0, EINVAL, EINVAL",
        // 2^31 pages, and one less
        "DEFAULT,      0,     0, 0x0,    0x80000000000, 0x700000000000, 0, EINVAL, EINVAL",
        "DEFAULT,      0,     0, 0x0,    0x7fffffff000, 0x700000000000, 0, ok,     ok",
        // deleting what does not exist
        "DEFAULT,      0,     0, 0x0,    0x0,    0x7f0000000000, 0, EINVAL, EINVAL",
        // the last gfn above MAXPHYADDR, which is 46
        "DEFAULT,      0,     0, 0x3ffffffff000, 0x1000, 0x7f0000000000, 0, ok,     ok",
        "DEFAULT,      0,     0, 0x3ffffffff000, 0x2000, 0x7f0000000000, 0, EINVAL, EINVAL",
    })
    void answersOnAnEmptyVm(
            VmType type, int slot, int flags, String gpa, String size, String hva, long offset, String v2, String v1) {
        var region = new MemoryRegion(slot, flags, number(gpa), number(size), number(hva), offset, 99);
        assertEquals(v2, name(new KvmFixture(6, 16).vm(type).setUserMemoryRegion2(region)));
        assertEquals(v1, name(new KvmFixture(6, 16).vm(type).setUserMemoryRegion(region)));
    }

    private static long number(String hex) {
        return Long.parseUnsignedLong(hex.substring(2), 16);
    }

    /** A second call on slot 0, which is 2 MiB at gpa 0; slot 1 is 2 MiB at 16 MiB. */
    @ParameterizedTest
    @CsvSource({
        // nothing changes
        "0, 0, 0,        0x200000, 0,        ok,     0x0",
        // READONLY toggled, size differs, hva differs
        "0, 2, 0,        0x200000, 0,        EINVAL, 0x0",
        "0, 0, 0,        0x100000, 0,        EINVAL, 0x0",
        "0, 0, 0,        0x200000, 0x200000, EINVAL, 0x0",
        // flags only
        "0, 1, 0,        0x200000, 0,        ok,     0x0",
        // move
        "0, 0, 0x800000, 0x200000, 0,        ok,     0x800000",
        // move onto slot 1
        "0, 0, 0xf00000, 0x200000, 0,        EEXIST, 0x0",
        // create onto slot 1
        "2, 0, 0x1100000, 0x1000, 0,         EEXIST, none",
        // next to it
        "2, 0, 0x1200000, 0x1000, 0,         ok,     0x1200000",
        // onto slot 1 in the other address space
        "65537, 0, 0x1000000, 0x200000, 0,   ok,     0x1000000",
        // delete; then fields other than flags do not matter
        "0, 0, 0x123000, 0,        0x1000,   ok,     none",
    })
    void answersForAnExistingSlot(
            int slot, int flags, String gpa, String size, String hvaOffset, String expected, String gpaAfter) {
        Vm vm = new KvmFixture(6, 16).vm(VmType.DEFAULT);
        vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 2 * MIB, HVA));
        vm.setUserMemoryRegion2(MemoryRegion.user(1, 0, 16 * MIB, 2 * MIB, HVA));
        var region = MemoryRegion.user(slot, flags, Long.decode(gpa), Long.decode(size), HVA + Long.decode(hvaOffset));
        assertEquals(expected, name(vm.setUserMemoryRegion2(region)));
        Memslot after = vm.memslots(slot >>> 16).byId(slot & 0xffff);
        assertEquals(gpaAfter, after.exists() ? "0x" + Long.toHexString(after.baseGfn() << 12) : "none");
    }

    @Test
    void guestMemfdSlotsCanOnlyBeDeleted() {
        Vm vm = new KvmFixture(6, 16).vm(VmType.SW_PROTECTED);
        int fd = (int) ((IoctlResult.Ok) vm.createGuestMemfd(4 * MIB, 0)).value();
        var region = new MemoryRegion(0, Memslot.GUEST_MEMFD, 0, 2 * MIB, HVA, 0, fd);
        assertEquals("ok", name(vm.setUserMemoryRegion2(region)));
        assertEquals("EINVAL", name(vm.setUserMemoryRegion2(region)), "even without a change");
        // Before 6.19 the flag could be dropped without unbinding: a known hole.
        assertEquals("ok", name(vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 2 * MIB, HVA))));
        assertEquals("ok", name(vm.setUserMemoryRegion2(MemoryRegion.deletion(0))));
    }

    @Test
    void droppingGuestMemfdIsRefusedFrom6_19() {
        Vm vm = new KvmFixture(6, 19).vm(VmType.SW_PROTECTED);
        int fd = (int) ((IoctlResult.Ok) vm.createGuestMemfd(4 * MIB, 0)).value();
        vm.setUserMemoryRegion2(new MemoryRegion(0, Memslot.GUEST_MEMFD, 0, 2 * MIB, HVA, 0, fd));
        assertEquals("EINVAL", name(vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 2 * MIB, HVA))));
    }

    @Test
    void bindChecksInOrder() {
        var fixture = new KvmFixture(6, 16);
        Vm vm = fixture.vm(VmType.SW_PROTECTED);
        Vm other = fixture.vm(VmType.SW_PROTECTED);
        int own = (int) ((IoctlResult.Ok) vm.createGuestMemfd(4 * MIB, 0)).value();
        int foreign = (int) ((IoctlResult.Ok) other.createGuestMemfd(4 * MIB, 0)).value();
        int memfd = fixture.mm.memfd(1024, 1, false).fd();

        assertEquals("EBADF", name(bind(vm, 0, 2 * MIB, 0, 99)));
        assertEquals("EINVAL", name(bind(vm, 0, 2 * MIB, 0, memfd)));
        assertEquals("EINVAL", name(bind(vm, 0, 2 * MIB, 0, foreign)));
        assertEquals("EINVAL", name(bind(vm, 0, 2 * MIB, 4 * MIB - PAGE, own)), "reaches past the end");
        assertEquals("EINVAL", name(bind(vm, 0, PAGE, -PAGE * 2, own)), "offset + size wraps to a small number");
        assertEquals("ok", name(bind(vm, 0, 2 * MIB, 0, own)));
        assertEquals("EINVAL", name(bind(vm, 1, 2 * MIB, MIB, own)), "pages already bound");
        assertEquals("ok", name(bind(vm, 1, 2 * MIB, 2 * MIB, own)));
        assertEquals("ok", name(vm.setUserMemoryRegion2(MemoryRegion.deletion(0))));
        assertEquals("ok", name(bind(vm, 0, 2 * MIB, 0, own)), "deletion unbinds");
    }

    private static IoctlResult bind(Vm vm, int slot, long size, long offset, int fd) {
        return vm.setUserMemoryRegion2(
                new MemoryRegion(slot, Memslot.GUEST_MEMFD, slot * 16 * MIB, size, HVA, offset, fd));
    }

    @Test
    void deletionPublishesTwiceAndShowsAnInvalidSlotBetween() {
        var fixture = new KvmFixture(6, 16);
        Vm vm = fixture.vm(VmType.DEFAULT);
        vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 2 * MIB, HVA));
        assertEquals(2, vm.memslots(0).generation(), "two address spaces: each publish adds 2");
        List<String> steps = new ArrayList<>();
        List<Boolean> invalid = new ArrayList<>();
        fixture.events.add((_, event) -> {
            if (event instanceof MemslotEvent step) {
                steps.add(step.step().name());
                invalid.add(vm.memslots(0).byId(0).invalid());
            }
        });
        vm.setUserMemoryRegion2(MemoryRegion.deletion(0));
        assertEquals(
                List.of(
                        "INVALID_COPY",
                        "PUBLISH",
                        "GRACE_PERIOD",
                        "GENERATION",
                        "ZAP",
                        "PUBLISH",
                        "GRACE_PERIOD",
                        "GENERATION",
                        "FREE"),
                steps);
        assertEquals(List.of(false, true, true, true, true, false, false, false, false), invalid);
        assertEquals(6, vm.memslots(0).generation());
    }

    @Test
    void aFailedMoveLeavesTheSlotButNotItsMappings() {
        var fixture = new KvmFixture(6, 16);
        Vm vm = fixture.vm(VmType.DEFAULT);
        vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 2 * MIB, HVA));
        // Above MAXPHYADDR: found only after the INVALID phase.
        assertEquals("EINVAL", name(vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 1L << 46, 2 * MIB, HVA))));
        Memslot slot = vm.memslots(0).byId(0);
        assertEquals(0, slot.baseGfn());
        assertFalse(slot.invalid());
        assertEquals(6, vm.memslots(0).generation(), "created, invalid, re-published");
        assertFalse(vm.slotsArchLock().held());
        assertFalse(vm.slotsLock().held());
    }

    /** x86.c, kvm_alloc_memslot_metadata. */
    @Test
    void largePageWordsAtTheEdges() {
        Vm vm = new KvmFixture(6, 16).vm(VmType.DEFAULT);
        // gfns 0x100 to 0x700: head and tail of 2 MiB blocks are partial, the middle ones whole.
        vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, MIB, 6 * MIB, HVA + MIB));
        LpageInfo info = vm.memslots(0).byId(0).lpage();
        assertEquals(
                List.of(1, 0, 0, 1),
                List.of(info.word(0x100, 2), info.word(0x200, 2), info.word(0x400, 2), info.word(0x6ff, 2)));
        assertEquals(1, info.word(0x100, 3));
    }

    @Test
    void incongruentHvaForbidsLargePages() {
        Vm vm = new KvmFixture(6, 16).vm(VmType.DEFAULT);
        vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 4 * MIB, HVA + PAGE));
        LpageInfo info = vm.memslots(0).byId(0).lpage();
        assertEquals(1, info.word(0, 2));
        assertEquals(1, info.word(0x200, 2));
        assertFalse(info.allows(0, 2));
    }

    @Test
    void aDeadVmAnswersEioBeforeAnythingElse() {
        Vm vm = new KvmFixture(6, 16).vm(VmType.DEFAULT);
        vm.bug("test");
        assertEquals("EIO", name(vm.setUserMemoryRegion2(MemoryRegion.user(0, 0xff, 1, 1, 1))));
        assertTrue(vm.dead());
    }
}

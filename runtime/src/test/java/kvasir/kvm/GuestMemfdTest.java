package kvasir.kvm;

import static kvasir.kvm.KvmFixture.MIB;
import static kvasir.kvm.KvmFixture.PAGE;
import static kvasir.kvm.KvmFixture.name;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvasir.kvm.gmem.GuestMemfd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** virt/kvm/guest_memfd.c. */
class GuestMemfdTest {
    @ParameterizedTest
    @CsvSource({
        "6, 16, SW_PROTECTED, 0x4000, 0, ok",
        "6, 16, SW_PROTECTED, 0x4000, 1, EINVAL",
        "6, 18, SW_PROTECTED, 0x4000, 1, ok",
        "6, 18, SW_PROTECTED, 0x4000, 2, EINVAL",
        "6, 18, DEFAULT,      0x4000, 2, ok",
        "6, 18, DEFAULT,      0x4000, 3, ok",
        "6, 18, DEFAULT,      0x4000, 4, EINVAL",
        "6, 16, SW_PROTECTED, 0,      0, EINVAL",
        "6, 16, SW_PROTECTED, 0x1001, 0, EINVAL",
        "6, 16, SW_PROTECTED, -4096,  0, EINVAL",
    })
    void creation(int major, int minor, VmType type, String size, long flags, String expected) {
        Vm vm = new KvmFixture(major, minor).vm(type);
        assertEquals(expected, name(vm.createGuestMemfd(Long.decode(size), flags)));
    }

    /** fallocate on a file of four pages; mode 1 allocates, 3 punches. */
    @ParameterizedTest
    @CsvSource({
        "1, 0,      0x4000, ok",
        "1, 0x4000, 0x1000, EINVAL",
        "1, 0x3000, 0x2000, EINVAL",
        "3, 0x4000, 0x1000, ok",
        "3, 0x8000, 0x1000, ok",
        "3, 0x1000, 0x1000, ok",
        "3, 0x1000, 0xfff,  EINVAL",
        "3, 0xfff,  0x1000, EINVAL",
        "3, 1,      1,      EINVAL",
        "3, 0,      0,      EINVAL",
        "3, -4096,  0x1000, EINVAL",
        "0, 0,      0x1000, EOPNOTSUPP",
        "2, 0,      0x1000, EOPNOTSUPP",
        "5, 0,      0x1000, EOPNOTSUPP",
    })
    void fallocate(int mode, String offset, String length, String expected) {
        Vm vm = new KvmFixture(6, 16).vm(VmType.SW_PROTECTED);
        vm.createGuestMemfd(4 * PAGE, 0);
        GuestMemfd file = vm.gmems().getFirst();
        assertEquals(expected, name(file.fallocate(mode, Long.decode(offset), Long.decode(length))));
    }

    @Test
    void aPunchedPageComesBackAsZeros() {
        var fixture = new KvmFixture(6, 16);
        Vm vm = fixture.vm(VmType.SW_PROTECTED);
        vm.createGuestMemfd(4 * PAGE, 0);
        GuestMemfd file = vm.gmems().getFirst();
        long pfn = file.folio(2);
        fixture.memory.write64(pfn << 12, 0x5a);
        assertEquals("ok", name(file.fallocate(3, 2 * PAGE, PAGE)));
        assertEquals(-1, file.pageAt(2));
        assertEquals(0, fixture.memory.read64(file.folio(2) << 12));
    }

    @Test
    void deletionKeepsTheContentForTheNextSlot() {
        var fixture = new KvmFixture(6, 16);
        Vm vm = fixture.vm(VmType.SW_PROTECTED);
        int fd = (int) ((IoctlResult.Ok) vm.createGuestMemfd(2 * MIB, 0)).value();
        var region = new MemoryRegion(0, Memslot.GUEST_MEMFD, 0, 2 * MIB, 0x7f00_0000_0000L, 0, fd);
        vm.setUserMemoryRegion2(region);
        GuestMemfd file = vm.gmems().getFirst();
        long word = file.getPfn(vm.memslots(0).byId(0), 5);
        assertTrue(word >= 0);
        vm.setUserMemoryRegion2(MemoryRegion.deletion(0));
        assertEquals(-Errno.EIO.number(), file.getPfn(Memslot.NONE, 5), "no longer bound");
        vm.setUserMemoryRegion2(region);
        assertEquals(word, file.getPfn(vm.memslots(0).byId(0), 5));
    }

    @Test
    void closingTheLastDescriptorEmptiesTheSlotAndKeepsIt() {
        var fixture = new KvmFixture(6, 16);
        Vm vm = fixture.vm(VmType.SW_PROTECTED);
        int fd = (int) ((IoctlResult.Ok) vm.createGuestMemfd(2 * MIB, 0)).value();
        vm.setUserMemoryRegion2(new MemoryRegion(0, Memslot.GUEST_MEMFD, 0, 2 * MIB, 0x7f00_0000_0000L, 0, fd));
        GuestMemfd file = vm.gmems().getFirst();
        file.getPfn(vm.memslots(0).byId(0), 0);
        long used = fixture.kvm.pages().used();
        vm.closeGmem(file);
        Memslot slot = vm.memslots(0).byId(0);
        assertTrue(slot.exists() && slot.hasGmem());
        assertTrue(slot.gmem().isEmpty());
        assertEquals(used - 1, fixture.kvm.pages().used());
        assertEquals(-Errno.EFAULT.number(), file.getPfn(slot, 0));
    }

    @Test
    void aPoisonedPageIsKeptAndRefused() {
        Vm vm = new KvmFixture(6, 16).vm(VmType.SW_PROTECTED);
        int fd = (int) ((IoctlResult.Ok) vm.createGuestMemfd(2 * MIB, 0)).value();
        vm.setUserMemoryRegion2(new MemoryRegion(0, Memslot.GUEST_MEMFD, 0, 2 * MIB, 0x7f00_0000_0000L, 0, fd));
        GuestMemfd file = vm.gmems().getFirst();
        file.poison(0);
        assertEquals(-133, file.getPfn(vm.memslots(0).byId(0), 0));
    }
}

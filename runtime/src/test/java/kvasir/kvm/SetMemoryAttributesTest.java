package kvasir.kvm;

import static kvasir.kvm.KvmFixture.MIB;
import static kvasir.kvm.KvmFixture.PAGE;
import static kvasir.kvm.KvmFixture.name;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** kvm_main.c, kvm_vm_ioctl_set_mem_attributes. */
class SetMemoryAttributesTest {
    @ParameterizedTest
    @CsvSource({
        "SW_PROTECTED, 0,      0x1000, 8, 0, ok",
        "SW_PROTECTED, 0,      0x1000, 0, 0, ok",
        "SW_PROTECTED, 0,      0x1000, 8, 1, EINVAL",
        "SW_PROTECTED, 0,      0x1000, 1, 0, EINVAL",
        "SW_PROTECTED, 0,      0x1000, 9, 0, EINVAL",
        "SW_PROTECTED, 0,      0,      8, 0, EINVAL",
        "SW_PROTECTED, 0x800,  0x1000, 8, 0, EINVAL",
        "SW_PROTECTED, 0,      0x1800, 8, 0, EINVAL",
        "SW_PROTECTED, 0xfffffffffffff000, 0x2000, 8, 0, EINVAL",
        "DEFAULT,      0,      0x1000, 8, 0, EINVAL",
        "DEFAULT,      0,      0x1000, 0, 0, ok",
        "SEV,          0,      0x1000, 8, 0, EINVAL",
    })
    void answers(VmType type, String address, String size, long attributes, long flags, String expected) {
        Vm vm = new KvmFixture(6, 16).vm(type);
        assertEquals(expected, name(vm.setMemoryAttributes(unsigned(address), unsigned(size), attributes, flags)));
    }

    private static long unsigned(String text) {
        return text.startsWith("0x") ? Long.parseUnsignedLong(text.substring(2), 16) : Long.parseLong(text);
    }

    @Test
    void attributesKnowNothingOfSlots() {
        Vm vm = new KvmFixture(6, 16).vm(VmType.SW_PROTECTED);
        vm.setMemoryAttributes(1L << 50, PAGE, 8, 0);
        assertTrue(vm.attributes().isPrivate(1L << 38));
        assertFalse(vm.attributes().isPrivate((1L << 38) + 1));
        assertEquals(0, vm.invalidate().seq(), "no slot is there, so nothing is invalidated");
    }

    @Test
    void nothingHappensIfEveryPageHasTheValueAlready() {
        var fixture = new KvmFixture(6, 16);
        Vm vm = fixture.vm(VmType.SW_PROTECTED);
        vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 4 * MIB, fixture.anonymous(0, 4 * MIB)));
        vm.setMemoryAttributes(0, 4 * MIB, 0, 0);
        assertEquals(0, vm.invalidate().seq());
        vm.setMemoryAttributes(0, 4 * MIB, 8, 0);
        assertEquals(1, vm.invalidate().seq());
        vm.setMemoryAttributes(PAGE, PAGE, 8, 0);
        assertEquals(1, vm.invalidate().seq());
    }

    @Test
    void mixedBlocksAreMarkedAndUnmarked() {
        var fixture = new KvmFixture(6, 16);
        Vm vm = fixture.vm(VmType.SW_PROTECTED);
        vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 1L << 30, fixture.anonymous(0, 1L << 30)));
        LpageInfo info = vm.memslots(0).byId(0).lpage();
        vm.setMemoryAttributes(PAGE, PAGE, 8, 0);
        assertTrue(info.mixed(0, 2));
        assertFalse(info.mixed(0x200, 2));
        assertTrue(info.mixed(0, 3));
        vm.setMemoryAttributes(0, 2 * MIB, 8, 0);
        assertFalse(info.mixed(0, 2));
        assertTrue(info.mixed(0, 3));
        vm.setMemoryAttributes(0, 1L << 30, 8, 0);
        assertFalse(info.mixed(0, 3));
    }

    @Test
    void aNewSlotLearnsWhatIsMixedAlready() {
        var fixture = new KvmFixture(6, 16);
        Vm vm = fixture.vm(VmType.SW_PROTECTED);
        vm.setMemoryAttributes(2 * MIB, PAGE, 8, 0);
        vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 8 * MIB, fixture.anonymous(0, 8 * MIB)));
        LpageInfo info = vm.memslots(0).byId(0).lpage();
        assertFalse(info.mixed(0, 2));
        assertTrue(info.mixed(0x200, 2));
        assertFalse(info.mixed(0x400, 2));
    }

    /** mmu.c, kvm_arch_pre_set_memory_attributes: the window covers the straddling blocks since 6.15. */
    @Test
    void theWindowCoversStraddlingBlocks() {
        assertEquals("0..200", window(6, 15));
        assertEquals("1..2", window(6, 14));
    }

    private static String window(int major, int minor) {
        var fixture = new KvmFixture(major, minor);
        Vm vm = fixture.vm(VmType.SW_PROTECTED);
        vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 8 * MIB, fixture.anonymous(0, 8 * MIB)));
        var seen = new ArrayList<String>();
        fixture.events.add((_, event) -> {
            if (event instanceof VmEvent.Attributes) {
                seen.add(Long.toHexString(vm.invalidate().windowStart()) + ".."
                        + Long.toHexString(vm.invalidate().windowEnd()));
                assertEquals(1, vm.invalidate().inProgress());
            }
        });
        vm.setMemoryAttributes(PAGE, PAGE, 8, 0);
        assertEquals(0, vm.invalidate().inProgress());
        return seen.getFirst();
    }
}

package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class PageRoleTest {
    @Test
    void theFieldsLieWhereTheKernelHasThem() {
        assertEquals(0x0000_3784, PageRole.tdpRoot(4, false, false, false).word());
        assertEquals(0x0100_3785, PageRole.tdpRoot(5, true, false, false).word());
        assertEquals(0x0001_3784, PageRole.tdpRoot(4, false, false, true).word());
        assertEquals(
                0x0008_3784, PageRole.tdpRoot(4, false, false, false).asMirror().word());
        assertEquals(
                0x0000_3f84,
                PageRole.tdpRoot(4, false, false, false).asInvalid().word());
    }

    @Test
    void theSixRootsOfTheThreadDiffer() {
        var roots = new java.util.HashSet<PageRole>();
        for (int level = 4; level <= 5; level++) {
            roots.add(PageRole.tdpRoot(level, false, false, false));
            roots.add(PageRole.tdpRoot(level, true, false, false));
            roots.add(PageRole.tdpRoot(level, false, true, false));
        }
        assertEquals(6, roots.size());
    }

    @Test
    void aChildIsOneLevelDownAndOtherwiseTheSame() {
        var root = PageRole.tdpRoot(5, true, false, false).asMirror();
        assertEquals(4, root.child().level());
        assertTrue(root.child().mirror());
        assertEquals(1, root.child().addressSpace());
        assertNotEquals(root, root.child());
    }
}

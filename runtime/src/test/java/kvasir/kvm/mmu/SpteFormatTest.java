package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The worked values of the SPTE formats, as literals. */
final class SpteFormatTest {
    private static final long PFN = 0x1_2345L;
    private static final long F = PFN << 12;
    private static final int ALL = SpteFormat.ACC_ALL;

    private final SpteFormat ept = SpteFormat.ept(true, false, true);
    private final SpteFormat noAd = SpteFormat.ept(false, false, true);
    private final SpteFormat npt = SpteFormat.npt(48);

    @Test
    void eptLeaves() {
        assertEquals(0x8600_0000_0000_0B77L + F, ept.leaf(PFN, 1, ALL, true, false, false), "4K writable accessed");
        assertEquals(0x8600_0000_0000_0A77L + F, ept.leaf(PFN, 1, ALL, true, false, true), "as pre-fault leaves it");
        assertEquals(0x8000_0000_0000_0975L + F, ept.leaf(PFN, 1, ALL, false, false, false), "host read-only");
        long huge = 0x200L;
        assertEquals(0x8600_0000_0000_0BF7L + (huge << 12), ept.leaf(huge, 2, ALL, true, false, false), "2M");
        assertEquals(
                0x8600_0000_0000_0BF3L + (huge << 12),
                ept.leaf(huge, 2, SpteFormat.ACC_WRITE | SpteFormat.ACC_USER, true, false, false),
                "2M without X");
    }

    @Test
    void writeProtectedForLoggingLosesOnlyW() {
        long spte = ept.leaf(PFN, 1, ALL, true, false, false) & ~Spte.WRITABLE;
        assertEquals(0x8600_0000_0000_0B75L + F, spte);
        assertTrue(ept.writableTripleIsLegal(spte));
        assertTrue(ept.isVolatileLeaf(spte));
    }

    @Test
    void eptTablesAndSpecialValues() {
        assertEquals(0x8000_0000_0000_0907L + F, ept.nonLeaf(PFN));
        assertEquals(0x8000_0000_0000_0000L, Spte.EMPTY);
        assertEquals(0x8000_0000_0000_05A0L, Spte.FROZEN);
        assertFalse(Spte.isShadowPresent(Spte.FROZEN));
        assertFalse(Spte.isShadowPresent(Spte.EMPTY));
        assertEquals(0x12_3000L + 6, ept.mmio(0x123, 0, ALL));
        assertTrue(ept.isMmio(ept.mmio(0x123, 0, ALL)));
        assertFalse(ept.isMmio(Spte.EMPTY));
        assertFalse(Spte.isShadowPresent(ept.mmio(0x123, 0x7ffff, ALL)));
    }

    @Test
    void eptPointerCarriesWalkLengthAndAdEnable() {
        assertEquals(0x1234_505eL, ept.pointer(PFN, 4));
        assertEquals(0x1234_5066L, ept.pointer(PFN, 5));
        assertEquals(0x1234_501eL, noAd.pointer(PFN, 4));
        assertEquals(0x1234_5000L, npt.pointer(PFN, 4));
    }

    @Test
    void nptLeavesAndTables() {
        assertEquals(0xE67L + F, npt.leaf(PFN, 1, ALL, true, false, false));
        assertEquals(0x827L + F, npt.nonLeaf(PFN));
        assertEquals(
                0x8000_0000_0000_0E67L + F,
                npt.leaf(PFN, 1, SpteFormat.ACC_WRITE | SpteFormat.ACC_USER, true, false, false),
                "no execute");
    }

    @Test
    void mmioGenerationHasNineteenBitsInTwoFields() {
        long spte = ept.mmio(0x123, 0x5_a5c3L, ALL);
        assertEquals(0x5_a5c3L, SpteFormat.mmioGeneration(spte));
        assertEquals(0x123, ept.mmioGfn(spte));
        assertEquals(0xc3L << 3, spte & 0x7f8L);
        assertEquals(0x5a5L, spte >>> 52 & 0x7ff);
        assertEquals(0, SpteFormat.mmioGeneration(ept.mmio(0x123, 0x8_0000L, ALL)));
    }

    @Test
    void nptMmioUsesAReservedBitWhereThereIsOne() {
        assertEquals(1L << 51 | 0x12_3000L | 7, npt.mmio(0x123, 0, ALL));
        assertEquals(0x123, npt.mmioGfn(npt.mmio(0x123, 0, ALL)));
        assertFalse(SpteFormat.npt(52).mmioCaching());
        var sev = npt.withMemoryEncryption(48, 51, false);
        assertTrue(sev.isMmio(sev.mmio(0x123, 0, ALL)));
        assertFalse(npt.withMemoryEncryption(52, 51, false).mmioCaching());
    }

    /** spte.c: shadow_me_value is in leaves, links and nCR3, and no part of the address. */
    @Test
    void hostSmeSetsTheCBitEverywhereButOnMmio() {
        var sme = npt.withMemoryEncryption(48, 51, true);
        long c = 1L << 51;
        assertEquals(c | 0xE67L + F, sme.leaf(PFN, 1, ALL, true, false, false));
        assertEquals(0xE67L + F, sme.leaf(PFN, 1, ALL, true, true, false), "a device's registers");
        assertEquals(c | 0x827L + F, sme.nonLeaf(PFN));
        assertEquals(c | F, sme.pointer(PFN, 4));
        assertEquals(PFN, Spte.pfn(sme.nonLeaf(PFN)));
        assertEquals(0xf_0000_0012_3007L, sme.mmio(0x123, 0, ALL), "bits 51:48 and P");
        assertEquals(0x123, sme.mmioGfn(sme.mmio(0x123, 0, ALL)));
        var low = npt.withMemoryEncryption(43, 47, true);
        assertEquals(1L << 47 | 0x827L + F, low.nonLeaf(PFN));
        assertEquals(PFN, Spte.pfn(low.nonLeaf(PFN)));
        assertEquals(0xf_f800_0012_3007L, low.mmio(0x123, 0, ALL), "bits 51:43 and P");
    }

    @Test
    void tdxMmioIsAnEntryWithoutSuppressVe() {
        var tdx = ept.withMmioValue(0);
        assertEquals(0x12_3000L, tdx.mmio(0x123, 0, ALL));
        assertTrue(tdx.isMmio(0), "so that page tables must start out as EMPTY");
        assertFalse(tdx.isMmio(Spte.EMPTY));
        assertFalse(tdx.isMmio(ept.leaf(PFN, 1, ALL, true, false, false)));
    }

    @Test
    void l1tfMovesTheTopFiveAddressBitsUp() {
        var l1tf = ept.withL1tf(46);
        long gfn = 0x2_1000_0123L;
        long spte = l1tf.mmio(gfn, 0, ALL);
        assertEquals(gfn, l1tf.mmioGfn(spte));
        assertEquals(0x1fL << 41, spte & 0x1fL << 41);
    }

    @Test
    void withoutAdBitsAPrefetchedLeafIsAccessTracked() {
        long spte = noAd.leaf(PFN, 1, ALL, true, false, true);
        assertEquals(0, spte & 7, "RWX gone");
        assertEquals(5L << 54, spte & 5L << 54, "R and X saved at bits 54 and 56");
        assertEquals(1L << 52, spte & 3L << 52);
        assertTrue(noAd.isAccessTracked(spte));
        long restored = noAd.restoreAccessTrack(spte);
        assertEquals(5, restored & 7);
        assertTrue(noAd.isAccessed(restored));
        assertFalse(noAd.isAccessTracked(restored));
    }

    @Test
    void theFourLegalWritableTriples() {
        long host = ept.hostWritable();
        long mmu = ept.mmuWritable();
        long w = Spte.WRITABLE;
        assertTrue(ept.writableTripleIsLegal(host | mmu | w));
        assertTrue(ept.writableTripleIsLegal(host | mmu));
        assertTrue(ept.writableTripleIsLegal(host));
        assertTrue(ept.writableTripleIsLegal(0));
        assertFalse(ept.writableTripleIsLegal(w));
        assertFalse(ept.writableTripleIsLegal(mmu));
        assertFalse(ept.writableTripleIsLegal(mmu | w));
        assertFalse(ept.writableTripleIsLegal(host | w));
    }

    @Test
    void splittingInheritsAndCollapsingRoundsDown() {
        long huge = ept.leaf(0x200, 2, SpteFormat.ACC_WRITE | SpteFormat.ACC_USER, true, false, false);
        assertEquals(0x8600_0000_0000_0B77L + 0x20_7000L, ept.splitChild(huge, 1, 7, true), "X comes back at 4 KiB");
        assertEquals(0x8600_0000_0000_0B73L + 0x20_7000L, ept.splitChild(huge, 1, 7, false));
        long giant = ept.leaf(0x4_0000L, 3, ALL, true, false, false);
        assertEquals(0x8600_0000_0000_0BF7L + 0x4060_0000L, ept.splitChild(giant, 2, 3, false));
        long small = ept.leaf(0x207, 1, ALL, true, false, false);
        assertEquals(0x8600_0000_0000_0BF7L + 0x20_0000L, ept.collapse(small, 2, false));
        assertEquals(0x8600_0000_0000_0BF3L + 0x20_0000L, ept.collapse(small, 2, true));
    }
}

package kvasir.metal.cpu;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Which processor the guest sees: what CPUID answers, and therefore which instructions exist. A feature that the
 * emulation lacks is never in a model.
 *
 * @param name as a VM declaration spells it
 * @param vendor the 12 letters of leaf 0
 * @param brand up to 48 letters of leaves 0x80000002 to 0x80000004
 * @param signature family, model and stepping as in EAX of leaf 1
 * @param features what is there
 * @param physicalBits MAXPHYADDR
 */
public record CpuidModel(
        String name, String vendor, String brand, int signature, Set<Feature> features, int physicalBits) {

    /** A feature with its place in CPUID; {@code register} is 0 for EAX to 3 for EDX. */
    public enum Feature {
        TSC(1, 0, 3, 4),
        MSR(1, 0, 3, 5),
        PAE(1, 0, 3, 6),
        CX8(1, 0, 3, 8),
        SEP(1, 0, 3, 11),
        PGE(1, 0, 3, 13),
        CMOV(1, 0, 3, 15),
        PAT(1, 0, 3, 16),
        PSE(1, 0, 3, 3),
        DE(1, 0, 3, 2),
        APIC(1, 0, 3, 9),
        PSE36(1, 0, 3, 17),
        CLFSH(1, 0, 3, 19),
        CX16(1, 0, 2, 13),
        PCID(1, 0, 2, 17),
        X2APIC(1, 0, 2, 21),
        MOVBE(1, 0, 2, 22),
        POPCNT(1, 0, 2, 23),
        TSC_DEADLINE(1, 0, 2, 24),
        RDRAND(1, 0, 2, 30),
        HYPERVISOR(1, 0, 2, 31),
        FSGSBASE(7, 0, 1, 0),
        TSC_ADJUST(7, 0, 1, 1),
        BMI1(7, 0, 1, 3),
        SMEP(7, 0, 1, 7),
        BMI2(7, 0, 1, 8),
        ERMS(7, 0, 1, 9),
        INVPCID(7, 0, 1, 10),
        RDSEED(7, 0, 1, 18),
        ADX(7, 0, 1, 19),
        SMAP(7, 0, 1, 20),
        CLFLUSHOPT(7, 0, 1, 23),
        CLWB(7, 0, 1, 24),
        UMIP(7, 0, 2, 2),
        PKU(7, 0, 2, 3),
        LA57(7, 0, 2, 16),
        PKS(7, 0, 2, 31),
        RDPID(7, 0, 2, 22),
        FSRM(7, 0, 3, 4),
        LAHF_LM(0x8000_0001, 0, 2, 0),
        LZCNT(0x8000_0001, 0, 2, 5),
        SYSCALL(0x8000_0001, 0, 3, 11),
        NX(0x8000_0001, 0, 3, 20),
        PDPE1GB(0x8000_0001, 0, 3, 26),
        RDTSCP(0x8000_0001, 0, 3, 27),
        LM(0x8000_0001, 0, 3, 29),
        FPU(1, 0, 3, 0),
        MMX(1, 0, 3, 23),
        FXSR(1, 0, 3, 24),
        SSE(1, 0, 3, 25),
        SSE2(1, 0, 3, 26),
        SSE3(1, 0, 2, 0),
        PCLMULQDQ(1, 0, 2, 1),
        SSSE3(1, 0, 2, 9),
        FMA(1, 0, 2, 12),
        SSE4_1(1, 0, 2, 19),
        SSE4_2(1, 0, 2, 20),
        AES(1, 0, 2, 25),
        XSAVE(1, 0, 2, 26),
        AVX(1, 0, 2, 28),
        F16C(1, 0, 2, 29),
        AVX2(7, 0, 1, 5),
        /** The x87 data pointer follows only instructions that raise an unmasked exception. */
        FDP_EXCPTN_ONLY(7, 0, 1, 6),
        /** FCS and FDS are stored as zero. */
        ZERO_FCS_FDS(7, 0, 1, 13),
        SHA(7, 0, 1, 29),
        GFNI(7, 0, 2, 8),
        VAES(7, 0, 2, 9),
        VPCLMULQDQ(7, 0, 2, 10),
        AVX_VNNI(7, 1, 0, 4),
        XSAVEOPT(0xd, 1, 0, 0),
        XSAVEC(0xd, 1, 0, 1),
        XGETBV1(0xd, 1, 0, 2),
        XSAVES(0xd, 1, 0, 3),
        SSE4A(0x8000_0001, 0, 2, 6),
        MISALIGNSSE(0x8000_0001, 0, 2, 7),
        MMXEXT(0x8000_0001, 0, 3, 22),
        FFXSR(0x8000_0001, 0, 3, 25),
        VME(1, 0, 3, 1),
        MCE(1, 0, 3, 7),
        MTRR(1, 0, 3, 12),
        MCA(1, 0, 3, 14),
        SERIALIZE(7, 0, 3, 14),
        MOVDIRI(7, 0, 2, 27),
        FZRM(7, 1, 0, 10),
        FSRS(7, 1, 0, 11),
        FSRC(7, 1, 0, 12),
        LAM(7, 1, 0, 26),
        PREFETCHW(0x8000_0001, 0, 2, 8),
        MWAITX(0x8000_0001, 0, 2, 29),
        CLZERO(0x8000_0008, 0, 1, 0),
        RDPRU(0x8000_0008, 0, 1, 4),
        WBNOINVD(0x8000_0008, 0, 1, 9),
        /** The APIC timer runs in every power state. */
        ARAT(6, 0, 0, 2),
        TOPOEXT(0x8000_0001, 0, 2, 22),
        SPEC_CTRL(7, 0, 3, 26),
        STIBP(7, 0, 3, 27),
        FLUSH_L1D(7, 0, 3, 28),
        ARCH_CAPABILITIES(7, 0, 3, 29),
        SSBD(7, 0, 3, 31),
        IBPB(0x8000_0008, 0, 1, 12),
        IBRS(0x8000_0008, 0, 1, 14),
        AMD_STIBP(0x8000_0008, 0, 1, 15),
        AMD_SSBD(0x8000_0008, 0, 1, 24);

        private final int leaf;
        private final int subleaf;
        private final int register;
        private final int bit;

        Feature(int leaf, int subleaf, int register, int bit) {
            this.leaf = leaf;
            this.subleaf = subleaf;
            this.register = register;
            this.bit = bit;
        }
    }

    /**
     * Emulated, but of no model by itself: Sapphire Rapids has no LAM, and KVM shows guests of AMD processors neither RDPRU
     * nor MONITORX. A name with {@code +lam} has it.
     */
    private static final Set<Feature> ON_REQUEST = EnumSet.of(Feature.LAM, Feature.RDPRU, Feature.MWAITX);

    /** Bits of leaf 1 EDX that AMD processors tell again in leaf 0x80000001. */
    private static final int TOLD_TWICE = 0x0183_f3ff;

    private static Set<Feature> allBut(Feature... absent) {
        EnumSet<Feature> features = EnumSet.complementOf(EnumSet.copyOf(List.of(absent)));
        features.removeAll(ON_REQUEST);
        return Set.copyOf(features);
    }

    private static final CpuidModel MILAN = new CpuidModel(
            "EPYC-Milan",
            "AuthenticAMD",
            "AMD EPYC-Milan Processor (Kvasir)",
            0x00a0_0f11,
            allBut(
                    Feature.LA57,
                    Feature.PKS,
                    Feature.TSC_DEADLINE,
                    Feature.GFNI,
                    Feature.AVX_VNNI,
                    Feature.SERIALIZE,
                    Feature.MOVDIRI,
                    Feature.FZRM,
                    Feature.FSRS,
                    Feature.FSRC,
                    Feature.SPEC_CTRL,
                    Feature.STIBP,
                    Feature.FLUSH_L1D,
                    Feature.ARCH_CAPABILITIES,
                    Feature.SSBD,
                    Feature.FDP_EXCPTN_ONLY,
                    Feature.ZERO_FCS_FDS),
            48);
    private static final CpuidModel SAPPHIRE_RAPIDS = new CpuidModel(
            "SapphireRapids",
            "GenuineIntel",
            "Intel Xeon Processor (SapphireRapids, Kvasir)",
            0x0008_06f8,
            allBut(
                    Feature.SSE4A,
                    Feature.MISALIGNSSE,
                    Feature.MMXEXT,
                    Feature.FFXSR,
                    Feature.TOPOEXT,
                    Feature.IBPB,
                    Feature.IBRS,
                    Feature.AMD_STIBP,
                    Feature.AMD_SSBD,
                    Feature.CLZERO),
            52);

    public CpuidModel {
        features = Set.copyOf(features);
    }

    /** This model with another MAXPHYADDR. */
    public CpuidModel withPhysicalBits(int bits) {
        return new CpuidModel(name, vendor, brand, signature, features, bits);
    }

    /** The models a VM declaration can name. */
    public static List<CpuidModel> all() {
        return List.of(SAPPHIRE_RAPIDS, MILAN);
    }

    /** The model used when none is named. */
    public static CpuidModel standard() {
        return SAPPHIRE_RAPIDS;
    }

    /**
     * The model that {@code NAME,+feature,-feature} names, letter case aside; features bear the names of {@link Feature}, as
     * they are there or with {@code -} for {@code _}. Empty if a word is neither.
     */
    public static Optional<CpuidModel> named(String name) {
        List<String> words = List.of(name.toLowerCase(Locale.ROOT).split(",", -1));
        Optional<CpuidModel> base = all().stream()
                .filter(m -> m.name.toLowerCase(Locale.ROOT).equals(words.getFirst()))
                .findFirst();
        if (base.isEmpty()) {
            return base;
        }
        var changed = new LinkedHashSet<>(base.get().features);
        for (String word : words.subList(1, words.size())) {
            Optional<Feature> feature = feature(word);
            if (feature.isEmpty()) {
                return Optional.empty();
            }
            if (word.startsWith("-")) {
                changed.remove(feature.get());
            } else {
                changed.add(feature.get());
            }
        }
        return base.map(m -> words.size() == 1 ? m : m.with(changed));
    }

    private CpuidModel with(Set<Feature> other) {
        return new CpuidModel(name, vendor, brand, signature, other, physicalBits);
    }

    /** The feature that {@code +FEATURE} or {@code -FEATURE} names; empty if none that is emulated. */
    public static Optional<Feature> feature(String word) {
        if (!word.startsWith("+") && !word.startsWith("-")) {
            return Optional.empty();
        }
        String wanted = word.substring(1).toUpperCase(Locale.ROOT).replace('-', '_');
        return Arrays.stream(Feature.values())
                .filter(f -> f.name().equals(wanted))
                .findFirst();
    }

    /** Whether the guest sees {@code feature}. */
    public boolean has(Feature feature) {
        return features.contains(feature);
    }

    /** Whether it is an AMD processor, which differs in SYSCALL, SYSENTER and reserved bits here and there. */
    public boolean amd() {
        return vendor.equals("AuthenticAMD");
    }

    /** The components that XCR0 may enable; 0 without XSAVE. */
    public long xcr0Mask() {
        return XState.user(this);
    }

    /** Whether XSETBV takes {@code value} for XCR0. */
    public boolean acceptsXcr0(long value) {
        return XState.legalXcr0(this, value);
    }

    /**
     * Bytes of an XSAVE area.
     *
     * @param components as in XCR0 and IA32_XSS
     * @param compacted whether it is in the compacted format, without gaps
     */
    public int xsaveBytes(long components, boolean compacted) {
        return XState.areaBytes(this, components, compacted);
    }

    private void extendedState(int[] out, int subleaf) {
        long user = xcr0Mask();
        if (user == 0) {
            return;
        }
        switch (subleaf) {
            case 0 -> {
                out[0] = (int) user;
                out[1] = xsaveBytes(XState.X87, false);
                out[2] = xsaveBytes(user, false);
                out[3] = (int) (user >>> 32);
            }
            case 1 -> out[1] = has(Feature.XSAVEC) || has(Feature.XSAVES) ? xsaveBytes(XState.X87, true) : 0;
            default -> {
                long component = subleaf > 0 && subleaf < 63 ? user & 1L << subleaf : 0;
                if (component != 0) {
                    out[0] = XState.bytes(component);
                    out[1] = XState.offset(this, component);
                }
            }
        }
    }

    /** As {@link #answer(int, int, int, int)} of a processor that is alone. */
    public int[] answer(int leaf, int subleaf) {
        return answer(leaf, subleaf, 0, 1);
    }

    /**
     * EAX, EBX, ECX, EDX for a leaf; the bits that follow control registers (OSXSAVE, OSPKE, sizes of the XSAVE area) are
     * added by {@link Cpu}. Beyond the highest basic or extended leaf Intel's processors answer as for the highest basic one,
     * AMD's with zeros.
     *
     * @param processors cores of the package, at least 1
     */
    public int[] answer(int leaf, int subleaf, int apicId, int processors) {
        boolean extended = leaf < 0 && leaf >>> 30 == 2;
        if (Integer.compareUnsigned(leaf, extended ? highestExtended() : highestBasic()) > 0) {
            return amd() || leaf >>> 28 == 4 ? new int[4] : answer(highestBasic(), subleaf, apicId, processors);
        }
        int[] out = own(leaf, subleaf);
        CpuidTopology.add(this, out, leaf, subleaf, apicId, processors);
        return out;
    }

    private int highestBasic() {
        return amd() ? 0x10 : 0x1f;
    }

    private int highestExtended() {
        return amd() ? 0x8000_001e : 0x8000_0008;
    }

    private int[] own(int leaf, int subleaf) {
        int[] out = new int[4];
        int index = leaf == 7 || leaf == 0xd ? subleaf : 0;
        for (Feature feature : features) {
            if (feature.leaf == leaf && feature.subleaf == index) {
                out[feature.register] |= 1 << feature.bit;
            }
        }
        switch (leaf) {
            case 0 -> {
                out[0] = highestBasic();
                putText(out, 1, vendor, 0);
                putText(out, 3, vendor, 4);
                putText(out, 2, vendor, 8);
            }
            case 1 -> {
                out[0] = signature;
                // a line of CLFLUSH in units of 8 bytes
                out[1] = 8 << 8;
            }
            case 7 -> out[0] |= subleaf == 0 && features.stream().anyMatch(f -> f.leaf == 7 && f.subleaf == 1) ? 1 : 0;
            case 0xd -> extendedState(out, subleaf);
            case 0x8000_0001 -> {
                out[0] = amd() ? signature : 0;
                out[3] |= amd() ? own(1, 0)[3] & TOLD_TWICE : 0;
            }
            case 0x8000_0000 -> {
                out[0] = highestExtended();
                putText(out, 1, vendor, 0);
                putText(out, 3, vendor, 4);
                putText(out, 2, vendor, 8);
            }
            case 0x8000_0002, 0x8000_0003, 0x8000_0004 -> {
                for (int i = 0; i < 4; i++) {
                    putText(out, i, brand, (leaf - 0x8000_0002) * 16 + i * 4);
                }
            }
            case 0x8000_0008 -> out[0] |= physicalBits | (has(Feature.LA57) ? 57 : 48) << 8;
            default -> {}
        }
        return out;
    }

    private static void putText(int[] out, int register, String text, int at) {
        for (int i = 0; i < 4; i++) {
            out[register] |= (at + i < text.length() ? text.charAt(at + i) : 0) << (8 * i);
        }
    }
}

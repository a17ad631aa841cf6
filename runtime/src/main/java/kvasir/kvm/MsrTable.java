package kvasir.kvm;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.CpuidModel.Feature;

/**
 * Every model-specific register that a guest can reach, one row each: index, name, the models that have it, value after
 * reset, what WRMSR may change, who keeps it, and where the rule is from. What has no row is #GP.
 */
public final class MsrTable {
    /** Who keeps a register. */
    public enum Keeper {
        /** The processor itself. */
        CPU,
        /** The emulated local APIC, if KVM has it. */
        APIC,
        /** KVM, by the row alone. */
        KVM,
        /** KVM's machine-check registers. */
        MCE,
        /** KVM's system-management mode. */
        SMM
    }

    /** What WRMSR does. */
    public enum Write {
        /** Bits outside the mask are #GP. */
        MASK,
        /** As MASK, and the value must be a list of memory types. */
        TYPES,
        /** The base or mask of a variable range: what KVM checks of MTRRs. */
        RANGE,
        /** #GP. */
        NO,
        /** No effect. */
        IGNORED,
        /** Takes effect at once and leaves nothing to read: RDMSR is #GP. */
        COMMAND,
        /** Bits outside the mask stay as they are. */
        KEEPS,
        /** The keeper's own rule. */
        OWN
    }

    /**
     * One register.
     *
     * @param index as in ECX
     * @param name the kernel's, without MSR_
     * @param where {@code all}, {@code intel}, {@code amd}, or features of which any is enough
     * @param reset value after RESET
     * @param write what WRMSR does
     * @param mask the bits that {@code write} means
     * @param keeper who has the value
     * @param rule source, and what the columns cannot say
     */
    public record Row(
            int index, String name, String where, long reset, Write write, long mask, Keeper keeper, String rule) {
        /** Whether a processor of {@code model} has it. */
        public boolean in(CpuidModel model) {
            return switch (where) {
                case "all" -> true;
                case "intel" -> !model.amd();
                case "amd" -> model.amd();
                default -> Set.of(where.split("/", -1)).stream().anyMatch(f -> model.has(Feature.valueOf(f)));
            };
        }
    }

    private static final String TEXT = """
            0 | IA32_P5_MC_ADDR | all | 0 | own | mce | x86.c, get_msr_mce
            1 | IA32_P5_MC_TYPE | all | 0 | own | mce | x86.c, get_msr_mce
            10 | IA32_TSC | all | 0 | own | cpu | SDM 4: a write moves TSC_ADJUST too
            17 | IA32_PLATFORM_ID | all | 0 | no | kvm | x86.c: reads 0
            1b | IA32_APICBASE | all | fee00900 | own | apic | lapic.c, kvm_apic_set_base; BSP on vCPU 0 only
            2a | EBL_CR_POWERON | all | 0 | no | kvm | x86.c: reads 0
            34 | SMI_COUNT | all | 0 | no | smm | x86.c
            3a | IA32_FEAT_CTL | intel | 1 | no | kvm | SDM 4: locked by firmware, no VMX
            3b | IA32_TSC_ADJUST | TSC_ADJUST | 0 | own | cpu | SDM 3, "Time-stamp counter adjustment"
            48 | IA32_SPEC_CTRL | SPEC_CTRL/IBRS | 0 | 7 | kvm | SDM 4, APM 2: IBRS, STIBP, SSBD; nothing speculates here
            49 | IA32_PRED_CMD | SPEC_CTRL/IBPB | 0 | command 1 | kvm | x86.c: IBPB
            79 | IA32_UCODE_WRITE | all | 0 | ignored | kvm | x86.c
            8b | IA32_UCODE_REV | all | rev | ignored | kvm | vmx.c, svm.c; only KVM_SET_MSRS changes it
            9e | IA32_SMBASE | all | 30000 | no | smm | x86.c: RDMSR outside SMM is #GP
            c1 | P6_PERFCTR0 | all | 0 | ignored | kvm | pmu.c: reads 0 without a virtual PMU
            c2 | P6_PERFCTR1 | all | 0 | ignored | kvm | pmu.c
            ce | PLATFORM_INFO | all | 80000000 | no | kvm | x86.c: CPUID faulting is there
            fe | MTRRcap | MTRR | 508 | no | kvm | mtrr.c: 8 variable ranges, fixed ones, WC
            10a | IA32_ARCH_CAPABILITIES | ARCH_CAPABILITIES | caps | no | kvm | x86.c, kvm_get_arch_capabilities
            10b | IA32_FLUSH_CMD | FLUSH_L1D | 0 | command 1 | kvm | x86.c: L1D flush
            11e | IA32_BBL_CR_CTL3 | all | be702111 | ignored | kvm | x86.c
            140 | MISC_FEATURES_ENABLES | all | 0 | 1 | kvm | x86.c: CPUID is #GP outside ring 0
            174 | IA32_SYSENTER_CS | all | 0 | ffffffff | cpu | SDM 4; the upper half is dropped
            175 | IA32_SYSENTER_ESP | all | 0 | canonical | cpu | SDM 4
            176 | IA32_SYSENTER_EIP | all | 0 | canonical | cpu | SDM 4
            179 | IA32_MCG_CAP | MCA | 20 | no | mce | KVM_X86_SETUP_MCE sets it
            17a | IA32_MCG_STATUS | MCA | 0 | own | mce | x86.c, set_msr_mce
            17b | IA32_MCG_CTL | MCA | ffffffffffffffff | own | mce | x86.c: with MCG_CTL_P, all or nothing
            186 | P6_EVNTSEL0 | all | 0 | ignored | kvm | pmu.c
            187 | P6_EVNTSEL1 | all | 0 | ignored | kvm | pmu.c
            199 | IA32_PERF_CTL | all | 0 | no | kvm | x86.c: reads 0
            1a0 | IA32_MISC_ENABLE | all | 1801 | keeps ffffffffffffe77f | kvm | x86.c: EMON and the two *_UNAVAIL stay; bit 0 as QEMU sets it
            1d9 | IA32_DEBUGCTL | all | 0 | 3 | cpu | SDM 3, "Debug control"; branch records are not kept
            1db | IA32_LASTBRANCHFROMIP | all | 0 | no | kvm | x86.c: reads 0
            1dc | IA32_LASTBRANCHTOIP | all | 0 | no | kvm | x86.c: reads 0
            1dd | IA32_LASTINTFROMIP | all | 0 | no | kvm | x86.c: reads 0
            1de | IA32_LASTINTTOIP | all | 0 | no | kvm | x86.c: reads 0
            1fc | IA32_POWER_CTL | intel | 0 | ffffffffffffffff | kvm | vmx.c
            250 | MTRRfix64K_00000 | MTRR | 0 | types | kvm | mtrr.c
            258 | MTRRfix16K_80000 | MTRR | 0 | types | kvm | mtrr.c
            259 | MTRRfix16K_A0000 | MTRR | 0 | types | kvm | mtrr.c
            268 | MTRRfix4K_C0000 | MTRR | 0 | types | kvm | mtrr.c
            269 | MTRRfix4K_C8000 | MTRR | 0 | types | kvm | mtrr.c
            26a | MTRRfix4K_D0000 | MTRR | 0 | types | kvm | mtrr.c
            26b | MTRRfix4K_D8000 | MTRR | 0 | types | kvm | mtrr.c
            26c | MTRRfix4K_E0000 | MTRR | 0 | types | kvm | mtrr.c
            26d | MTRRfix4K_E8000 | MTRR | 0 | types | kvm | mtrr.c
            26e | MTRRfix4K_F0000 | MTRR | 0 | types | kvm | mtrr.c
            26f | MTRRfix4K_F8000 | MTRR | 0 | types | kvm | mtrr.c
            277 | IA32_CR_PAT | PAT | 7040600070406 | own | cpu | SDM 3, "IA32_PAT": eight types
            2ff | MTRRdefType | MTRR | 0 | cff | kvm | mtrr.c: and bits 7:0 a memory type
            6e0 | IA32_TSC_DEADLINE | TSC_DEADLINE | 0 | own | apic | lapic.c
            6e1 | IA32_PKRS | PKS | 0 | ffffffff | cpu | SDM 3, "Protection keys"
            da0 | IA32_XSS | XSAVES | 0 | 0 | cpu | x86.c: no supervisor component is supported
            c0000080 | EFER | all | 0 | own | cpu | SCE, LME, NXE and, on AMD, FFXSR; LME only while paging is off
            c0000081 | STAR | all | 0 | ffffffffffffffff | cpu | SDM 4
            c0000082 | LSTAR | all | 0 | canonical | cpu | SDM 4
            c0000083 | CSTAR | all | 0 | canonical | cpu | SDM 4
            c0000084 | SYSCALL_MASK | all | 0 | ffffffffffffffff | cpu | SDM 4
            c0000100 | FS_BASE | all | 0 | canonical | cpu | SDM 4
            c0000101 | GS_BASE | all | 0 | canonical | cpu | SDM 4
            c0000102 | KERNEL_GS_BASE | all | 0 | canonical | cpu | SDM 4
            c0000103 | TSC_AUX | RDTSCP/RDPID | 0 | ffffffff | cpu | x86.c: Intel's refuses the upper half, AMD's drops it
            c0010010 | AMD64_SYSCFG | all | 0 | no | kvm | x86.c: reads 0
            c0010015 | K7_HWCR | all | 0 | hwcr 1040000 | kvm | x86.c: McStatusWrEn, TscFreqSel; bits 3, 6, 8 are dropped
            c001001b | K7_CLK_CTL | all | 20000000 | ignored | kvm | x86.c
            c001001f | AMD64_NB_CFG | all | 0 | ignored | kvm | x86.c
            c0010020 | AMD64_PATCH_LOADER | all | 0 | command ffffffffffffffff | kvm | x86.c
            c0010055 | K8_INT_PENDING_MSG | all | 0 | no | kvm | x86.c: reads 0
            c0010058 | FAM10H_MMIO_CONF_BASE | all | 0 | 0 | kvm | x86.c: 0 only
            c0010112 | K8_TSEG_ADDR | all | 0 | no | kvm | x86.c: reads 0
            c0010113 | K8_TSEG_MASK | all | 0 | no | kvm | x86.c: reads 0
            c0010114 | VM_CR | amd | 0 | 0 | kvm | svm.c: no SVM
            c0010117 | VM_HSAVE_PA | all | 0 | ignored | kvm | x86.c
            c0011021 | F15H_IC_CFG | amd | 0 | ignored | kvm | svm.c
            c0011022 | AMD64_DC_CFG | all | 0 | ignored | kvm | x86.c
            c0011023 | AMD64_TW_CFG | all | 0 | ignored | kvm | x86.c
            c0011029 | AMD64_DE_CFG | amd | 2 | 2 | kvm | svm.c: LFENCE waits for what is before it
            c001102a | AMD64_BU_CFG2 | all | 0 | ignored | kvm | x86.c
            c001102c | F15H_EX_CFG | all | 0 | ignored | kvm | x86.c
            """;

    private static final long MICROCODE_INTEL = 0x1_0000_0000L;
    private static final long MICROCODE_AMD = 0x0100_0065;

    /** RDCL_NO, IBRS_ALL, SKIP_L1DFL_VMENTRY, MDS_NO, PSCHANGE_MC_NO, TAA_NO, as QEMU's SapphireRapids. */
    private static final long CAPABILITIES = 0x16b;

    private static final int VARIABLE_RANGES = 8;
    private static final int BANKS = 32;
    private static final Map<Integer, Row> ROWS = new TreeMap<>(Integer::compareUnsigned);
    private static final Map<String, Row> BY_NAME = new TreeMap<>();

    static {
        TEXT.lines().forEach(MsrTable::add);
        for (int i = 0; i < VARIABLE_RANGES; i++) {
            add("%x | MTRRphysBase%d | MTRR | 0 | range | kvm | mtrr.c".formatted(0x200 + 2 * i, i));
            add("%x | MTRRphysMask%d | MTRR | 0 | range | kvm | mtrr.c".formatted(0x201 + 2 * i, i));
        }
        String[] parts = {"CTL", "STATUS", "ADDR", "MISC"};
        for (int bank = 0; bank < BANKS; bank++) {
            for (int part = 0; part < 4; part++) {
                String reset = part == 0 ? "ffffffffffffffff" : "0";
                add("%x | IA32_MC%d_%s | MCA | %s | own | mce | x86.c, set_msr_mce: of as many banks as MCG_CAP tells"
                        .formatted(0x400 + 4 * bank + part, bank, parts[part], reset));
            }
            add("%x | IA32_MC%d_CTL2 | MCA | 0 | 40007fff | mce | x86.c: with MCG_CMCI_P"
                    .formatted(0x280 + bank, bank));
        }
        for (int i = 0; i < 4; i++) {
            add("%x | K7_EVNTSEL%d | all | 0 | ignored | kvm | pmu.c".formatted(0xc001_0000 + i, i));
            add("%x | K7_PERFCTR%d | all | 0 | ignored | kvm | pmu.c".formatted(0xc001_0004 + i, i));
        }
    }

    private MsrTable() {}

    private static void add(String line) {
        List<String> columns =
                List.of(line.split("\\|", -1)).stream().map(String::strip).toList();
        List<String> write = List.of(columns.get(4).split(" ", -1));
        long mask = write.size() > 1 ? Long.parseUnsignedLong(write.get(1), 16) : 0;
        Write kind = switch (write.getFirst()) {
            case "types" -> Write.TYPES;
            case "range" -> Write.RANGE;
            case "no" -> Write.NO;
            case "ignored" -> Write.IGNORED;
            case "command" -> Write.COMMAND;
            case "keeps" -> Write.KEEPS;
            case "own", "canonical", "hwcr" -> Write.OWN;
            default -> {
                mask = Long.parseUnsignedLong(write.getFirst(), 16);
                yield Write.MASK;
            }
        };
        String reset = columns.get(3);
        long value = reset.equals("rev") || reset.equals("caps") ? 0 : Long.parseUnsignedLong(reset, 16);
        var row = new Row(
                Integer.parseUnsignedInt(columns.get(0), 16),
                columns.get(1),
                columns.get(2),
                value,
                kind,
                mask,
                Keeper.valueOf(columns.get(5).toUpperCase(Locale.ROOT)),
                (write.getFirst().equals("canonical") ? "an address of the model's width; " : "") + columns.get(6));
        ROWS.put(row.index, row);
        BY_NAME.put(row.name.toUpperCase(Locale.ROOT), row);
    }

    /** All rows, by index. */
    public static List<Row> rows() {
        return List.copyOf(ROWS.values());
    }

    /** The row of an index. */
    public static Optional<Row> row(int index) {
        return Optional.ofNullable(ROWS.get(index));
    }

    /** The row of a name, letter case and a leading MSR_ aside; IA32_ may be left out. */
    public static Optional<Row> named(String name) {
        String wanted = name.toUpperCase(Locale.ROOT).replaceFirst("^MSR_", "");
        Row row = BY_NAME.getOrDefault(wanted, BY_NAME.get("IA32_" + wanted));
        return Optional.ofNullable(row);
    }

    /** The value after RESET on a processor of {@code model}. */
    static long reset(Row row, CpuidModel model) {
        return switch (row.name) {
            case "IA32_UCODE_REV" -> model.amd() ? MICROCODE_AMD : MICROCODE_INTEL;
            case "IA32_ARCH_CAPABILITIES" -> CAPABILITIES;
            default -> row.reset;
        };
    }

    /** The table as text. */
    public static String page() {
        return """
                # Model-specific registers

                Which a guest can reach; any other is #GP, or an exit with KVM_CAP_X86_USER_SPACE_MSR. Values are hexadecimal. `where`: all
                models, one vendor's, or those with a feature. `WRMSR`: bits that may be written, others being #GP; `no` #GP; `ignored`
                without effect; `command` nothing is stored, and RDMSR is #GP; `keeps` other bits stay; `own` as the last column or the
                manuals say. The x2APIC registers 800 to 8ff are those of the SDM.

                """ + ROWS.values().stream().map(MsrTable::line).collect(Collectors.joining("\n")) + "\n";
    }

    private static String line(Row row) {
        String write = switch (row.write) {
            case MASK -> "%x".formatted(row.mask);
            case COMMAND -> "command %x".formatted(row.mask);
            case KEEPS -> "keeps %x".formatted(~row.mask);
            case TYPES, RANGE, NO, IGNORED, OWN -> row.write.name().toLowerCase(Locale.ROOT);
        };
        String reset = reset(row, CpuidModel.standard()) == row.reset ? "%x".formatted(row.reset) : "by model";
        return "%-8x %-24s %-18s %-16s %-21s %-4s %s"
                .formatted(
                        row.index,
                        row.name,
                        row.where,
                        reset,
                        write,
                        row.keeper.name().toLowerCase(Locale.ROOT),
                        row.rule)
                .strip();
    }

    /** The page of one register by name; empty if there is none. */
    public static Optional<String> page(String name) {
        return named(name).map(row -> {
            var models = new ArrayList<String>();
            for (CpuidModel model : CpuidModel.all()) {
                models.add(model.name() + ": "
                        + (row.in(model) ? "yes, after reset %x".formatted(reset(row, model)) : "#GP"));
            }
            return line(row) + "\n" + String.join(", ", models) + "\n";
        });
    }
}

package kvasir.kvm.semantics;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.Errno;

/**
 * Everything in which the proposals differ, each by a name a script can write:
 * {@code semantics custom from v6.18 { no_slot ENOENT  progress eagain_on_partial }}.
 *
 * @param whoAdds who issues TDH.MEM.PAGE.ADD for initial memory
 * @param progress what partial progress returns
 * @param retry who repeats a fault that ended in RETRY
 * @param invalidSlot what a slot being deleted or moved does
 * @param spuriousLeafCheck whether a prefetch is spurious only if the entry found is a leaf
 * @param rootReload whether every step notices that the loaded root is obsolete
 * @param beforeFinalise whether the call is allowed before the VM's launch is finished
 * @param noSlot what a gfn without slot answers
 * @param units of the struct
 * @param maxLevel whether the mapping may be larger than the request
 * @param arithmetic how the range advances
 * @param accessed whether the mapping is made as if the guest had accessed it
 * @param flags whether the struct's flags describe the access
 * @param gmemFault whether a user access of a mapped guest_memfd takes the file's invalidate lock
 */
public record Policies(
        WhoAdds whoAdds,
        Progress progress,
        Retry retry,
        InvalidSlot invalidSlot,
        boolean spuriousLeafCheck,
        boolean rootReload,
        BeforeFinalise beforeFinalise,
        Errno noSlot,
        Units units,
        MaxLevel maxLevel,
        Arithmetic arithmetic,
        boolean accessed,
        Flags flags,
        GmemFault gmemFault) {
    /** Who issues TDH.MEM.PAGE.ADD. */
    public enum WhoAdds {
        /** The call itself, through a vendor hook with the struct's source page (RFC v1). */
        HOOK_WITH_SOURCE,
        /** KVM_TDX_INIT_MEM_REGION, after the call has filled the mirror (the proposal of March 2024). */
        MIRROR_FIRST,
        /** KVM_TDX_INIT_MEM_REGION, which maps through the fault path and then adds (6.16). */
        SINGLE_PASS,
        /** The hook that sets the mirror leaf (6.19). */
        ADD_IN_SET
    }

    /** What partial progress returns. */
    public enum Progress {
        /** EAGAIN, whatever stopped the call. */
        EAGAIN_ON_PARTIAL,
        /** Success, with the rest left. */
        SUCCESS_ON_PARTIAL
    }

    /** Who repeats a RETRY. */
    public enum Retry {
        /** User space: EAGAIN. */
        USER,
        /** The kernel, until something else happens. */
        KERNEL
    }

    /** What a slot being deleted or moved does. */
    public enum InvalidSlot {
        /** RETRY, for as long as the update takes. */
        SPIN,
        /** EAGAIN. */
        EAGAIN
    }

    /** Whether the call is allowed before the launch is finished. */
    public enum BeforeFinalise {
        ALLOWED,
        /** EOPNOTSUPP. */
        EOPNOTSUPP
    }

    /** Units of the struct. */
    public enum Units {
        GFN,
        BYTES
    }

    /** How large a mapping may be. */
    public enum MaxLevel {
        /** What fits the rest of the request, by size and alignment. */
        CLAMPED,
        /** Whatever a fault would map. */
        FREE
    }

    /** How the range advances after a mapping of level L was found or made. */
    public enum Arithmetic {
        /** To the end of the L-sized block, at most to the end of the range. */
        MIN,
        /** To the end of the block; the size may pass below zero (RFC v2). */
        UNDERFLOW,
        /** To the address rounded up to the block: an aligned address does not advance (a variant of the thread). */
        ALIGN
    }

    /** What the struct's flags are. */
    public enum Flags {
        /** The access to emulate: WRITE 1, EXEC 2, USER 4, PRIVATE 8. */
        ACCESS,
        /** Must be 0. */
        RESERVED
    }

    /** What a user access of a mapped guest_memfd holds besides mmap_lock. */
    public enum GmemFault {
        /** Nothing (6.18). */
        UNLOCKED,
        /** The file's invalidate lock, shared: the patches for conversion in place. */
        LOCKED
    }

    /** Legal words by policy name, in the order of the fields. */
    public static Map<String, List<String>> vocabulary() {
        var names = new LinkedHashMap<String, List<String>>();
        names.put("who_adds", words(WhoAdds.values()));
        names.put("progress", words(Progress.values()));
        names.put("retry", words(Retry.values()));
        names.put("invalid_slot", words(InvalidSlot.values()));
        names.put("spurious_leaf_check", List.of("false", "true"));
        names.put("root_reload", List.of("false", "true"));
        names.put("before_finalise", words(BeforeFinalise.values()));
        names.put("no_slot", List.of("EIO", "EFAULT", "EINVAL", "ENOENT"));
        names.put("units", words(Units.values()));
        names.put("max_level", words(MaxLevel.values()));
        names.put("arithmetic", words(Arithmetic.values()));
        names.put("accessed", List.of("false", "true"));
        names.put("flags", words(Flags.values()));
        names.put("gmem_fault", words(GmemFault.values()));
        return names;
    }

    /** This policy set as a script would write it, by name. */
    public Map<String, String> byName() {
        var values = new LinkedHashMap<String, String>();
        values.put("who_adds", word(whoAdds));
        values.put("progress", word(progress));
        values.put("retry", word(retry));
        values.put("invalid_slot", word(invalidSlot));
        values.put("spurious_leaf_check", spuriousLeafCheck ? "true" : "false");
        values.put("root_reload", rootReload ? "true" : "false");
        values.put("before_finalise", word(beforeFinalise));
        values.put("no_slot", noSlot.name());
        values.put("units", word(units));
        values.put("max_level", word(maxLevel));
        values.put("arithmetic", word(arithmetic));
        values.put("accessed", accessed ? "true" : "false");
        values.put("flags", word(flags));
        values.put("gmem_fault", word(gmemFault));
        return values;
    }

    /**
     * This set with one policy replaced; empty if the name or the word is unknown. Words are matched without regard to
     * case.
     */
    public Optional<Policies> with(String name, String word) {
        List<String> legal = vocabulary().getOrDefault(name, List.of());
        if (legal.stream().noneMatch(word::equalsIgnoreCase)) {
            return Optional.empty();
        }
        var values = byName();
        values.put(name, word.toUpperCase(Locale.ROOT));
        return Optional.of(new Policies(
                WhoAdds.valueOf(upper(values, "who_adds")),
                Progress.valueOf(upper(values, "progress")),
                Retry.valueOf(upper(values, "retry")),
                InvalidSlot.valueOf(upper(values, "invalid_slot")),
                upper(values, "spurious_leaf_check").equals("TRUE"),
                upper(values, "root_reload").equals("TRUE"),
                BeforeFinalise.valueOf(upper(values, "before_finalise")),
                Errno.valueOf(upper(values, "no_slot")),
                Units.valueOf(upper(values, "units")),
                MaxLevel.valueOf(upper(values, "max_level")),
                Arithmetic.valueOf(upper(values, "arithmetic")),
                upper(values, "accessed").equals("TRUE"),
                Flags.valueOf(upper(values, "flags")),
                GmemFault.valueOf(upper(values, "gmem_fault"))));
    }

    private static String upper(Map<String, String> values, String name) {
        return values.getOrDefault(name, "").toUpperCase(Locale.ROOT);
    }

    private static List<String> words(Enum<?>[] values) {
        return Arrays.stream(values).map(Policies::word).toList();
    }

    /** Errnos keep their case, other words are lower case. */
    private static String word(Enum<?> value) {
        return value == InvalidSlot.EAGAIN || value == BeforeFinalise.EOPNOTSUPP
                ? value.name()
                : value.name().toLowerCase(Locale.ROOT);
    }
}

package kvasir.vmm;

import java.util.List;
import kvasir.kvm.VmType;
import kvasir.registry.Api;

/** The kinds of VM that scripts can declare. */
public final class VmKinds {
    private static final List<VmKind> ALL = List.of(
            new PlainKind("default", VmType.DEFAULT),
            new PlainKind("sw_protected", VmType.SW_PROTECTED),
            new SevKind("sev", VmType.SEV),
            new SevKind("sev_es", VmType.SEV_ES),
            new SnpKind(),
            new TdxKind());

    private VmKinds() {}

    /** A VM that KVM runs without a vendor's help. */
    private record PlainKind(String word, VmType type) implements VmKind {
        @Override
        public Api<?> builderApi() {
            return VmBuilder.API;
        }

        @Override
        public Api<?> vmApi() {
            return VmHandle.API;
        }

        @Override
        public VmBuilder builder(Machine machine, String name) {
            return new VmBuilder(machine, name, type);
        }
    }

    /** A guest of plain SEV or SEV-ES. */
    private record SevKind(String word, VmType type) implements VmKind {
        @Override
        public Api<?> builderApi() {
            return SevBuilder.API;
        }

        @Override
        public Api<?> vmApi() {
            return SevHandle.API;
        }

        @Override
        public VmBuilder builder(Machine machine, String name) {
            return new SevBuilder(machine, name, type);
        }
    }

    /** A SEV-SNP guest. */
    private record SnpKind() implements VmKind {
        @Override
        public String word() {
            return "snp";
        }

        @Override
        public Api<?> builderApi() {
            return SnpBuilder.API;
        }

        @Override
        public Api<?> vmApi() {
            return SnpHandle.API;
        }

        @Override
        public VmBuilder builder(Machine machine, String name) {
            return new SnpBuilder(machine, name);
        }
    }

    /** The words, in the order of a reader. */
    public static List<String> words() {
        return ALL.stream().map(VmKind::word).toList();
    }

    /** The kind behind a word of {@link #words()}. */
    public static VmKind of(String word) {
        return ALL.stream()
                .filter(kind -> kind.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no VM type '" + word + "'"));
    }
}

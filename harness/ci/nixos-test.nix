# A NixOS VM test: nix-build -E 'import ./nixos-test.nix { pfs = …; }'. `pfs` is a package of it, such as
# `pkgs.rustPlatform.buildRustPackage { …; cargoBuildFlags = [ "-p" "pfs-harness" ]; }`. The Postfix is the one of nixpkgs, as
# services.postfix installs it; pfs starts it once more, as a private instance in a chroot.
{ pkgs ? import <nixpkgs> { }, pfs }:
pkgs.testers.nixosTest {
  name = "postfix-pfs";
  nodes.machine = { pkgs, ... }: {
    services.postfix.enable = true;
    environment.systemPackages = [ pfs pkgs.postfix pkgs.openssl ];
    virtualisation.memorySize = 2048;
    virtualisation.diskSize = 4096;
  };
  testScript = ''
    machine.wait_for_unit("multi-user.target")
    code, _ = machine.execute(
        "PFS_CACHE=/var/tmp/pfs pfs run --quiet --target installed"
        " --report junit=/tmp/pfs.xml --report markdown=/tmp/pfs.md"
    )
    machine.copy_from_vm("/tmp/pfs.xml")
    machine.copy_from_vm("/tmp/pfs.md")
    assert code == 0, f"pfs run: exit code {code}, see pfs.md"
  '';
}

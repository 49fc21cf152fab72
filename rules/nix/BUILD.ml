# Tools that come from the Nix store.

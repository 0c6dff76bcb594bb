//! Compiles the protocol: messages and client by prost and tonic, canonical JSON by pbjson, all from one descriptor set.

use std::path::{Path, PathBuf};

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=scripts");
    let files = ["callgrade", "records", "diff", "regrading"].map(|file| format!("callgrade/v1/{file}.proto"));
    let descriptors = protox::compile(files, ["proto"])?;
    let encoded = descriptors.encode_to_vec();
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("callgrade.bin"), &encoded)?;

    let mut prost = tonic_prost_build::Config::new();
    prost.compile_well_known_types().extern_path(".google.protobuf", "::pbjson_types").btree_map(["."]);
    // Ten times as large as what is nearly always in its place, an acknowledgement.
    prost.boxed(".callgrade.v1.StreamCallsResponse.response.verdict");
    // Of Grading the generated server is not used: transport/grpc.rs dispatches by hand and takes messages apart that prost would
    // refuse whole.
    let codec = "crate::wire::codec::MessageCodec";
    tonic_prost_build::configure().codec_path(codec).build_server(true).build_client(true).compile_fds_with_config(descriptors, prost)?;

    // Where a field that is not known, a misspelt filter, would mean other calls than the asker has in mind.
    let strict = [".callgrade.v1.StartRegradeRequest", ".callgrade.v1.CallFilter"];
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .emit_fields()
        .ignore_unknown_fields()
        .btree_map(["."])
        .exclude(strict)
        .build(&[".callgrade.v1", ".google.rpc"])?;
    let apart = out.join("strict");
    std::fs::create_dir_all(&apart)?;
    pbjson_build::Builder::new().register_descriptors(&encoded)?.out_dir(&apart).emit_fields().btree_map(["."]).build(&strict)?;
    assert!(Path::new(&out).join("callgrade.v1.rs").exists());
    Ok(())
}

# Nomad's Docker driver: Docker must know knarr (../docker/daemon.json). A task then
# says  config { runtime = "knarr" … }.
plugin "docker" {
  config {
    allow_runtimes = ["runc", "knarr"]
  }
}

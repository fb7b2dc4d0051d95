  def install
    bin.install "portcullis", "portcullis-hook"
    bin.install_symlink "portcullis" => "portcullis-git"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/portcullis.bash" => "portcullis"
    zsh_completion.install "completions/_portcullis"
    fish_completion.install "completions/portcullis.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/portcullis --version")
  end
end

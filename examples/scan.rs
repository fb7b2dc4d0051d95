use std::io::Read;
fn main(){ 
  let mut n=0usize; let mut bytes=0usize; let start=std::time::Instant::now(); let mut spent=std::time::Duration::ZERO;
  let mut list=String::new(); std::io::stdin().read_to_string(&mut list).unwrap();
  for p in list.lines(){ let Ok(b)=std::fs::read(p) else {continue}; if b.contains(&0){continue} let Ok(t)=String::from_utf8(b) else {continue}; n+=1; bytes+=t.len();
    let s=std::time::Instant::now(); let f=portcullis::secret::find(&t); spent+=s.elapsed();
    for f in f { let line=t[..f.range.start].matches('\n').count()+1; let x:String=t[f.range.clone()].chars().take(60).collect(); println!("{:?}\t{}\t{}:{}\t{}", f.confidence, f.kind, p, line, x.replace('\n',"\\n")); } }
  eprintln!("{n} files {bytes} bytes {:?} {:?}", spent, start.elapsed());
}
